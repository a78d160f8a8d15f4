# shellcheck shell=sh
# The units that run NGINX: what each needs, and how it gets it. Read by edge-release, whose functions it uses.
#
# A new build takes a unit over without a pause (NGINX, "Upgrading Executable on the Fly"): the running master starts the new
# binary, which inherits its sockets, and ends; systemd follows to the new one by the PID file. The workers of the old build
# take nothing new and finish what they have: requests within seconds, streams when their publishers leave. What systemd
# itself sets up for a unit (its file, its mounts) changes by a restart alone, which waits until nobody publishes.

PENDING=/run/edge-release.pending # lines "UNIT WHY" of restarts that are put off; `edge-setup status` shows them
CUT=/run/edge-release.cut         # "SECONDS NAMES" of the streams that were last ended, for the same
# Seconds between two looks whether a restart that was put off can be made up for.
SETTLE_SECONDS=30
# Seconds for a publisher's connection to end before its worker is ended.
HANG_UP_SECONDS=2

# Asks systemd about all units at once; each question costs as much as all of them. To be asked again after a change.
look() {
    in_use=$(readlink "$IN_USE" 2>/dev/null) || in_use=
    in_use=${in_use##*/}
    units=$(systemctl show -p Id,ActiveState,MainPID,NeedDaemonReload \
        run-edge-hls.mount edge-rtmp.service edge-http.service edge-rtmps.service 2>/dev/null) || units=
}

# Property $2 of unit $1 at the last look, in $property.
property_of() {
    property=
    seen_id='' seen_value=''
    while IFS= read -r line; do
        case $line in
            Id=*) seen_id=${line#*=} ;;
            "$2="*) seen_value=${line#*=} ;;
            '') seen_id='' seen_value='' ;;
        esac
        if [ "$seen_id" = "$1" ] && [ -n "$seen_value" ]; then
            property=$seen_value
            return
        fi
    done <<END
$units
END
}

active() {
    property_of "edge-$1.service" ActiveState
    [ "$property" = active ]
}

stale_manager() {
    case $units in *NeedDaemonReload=yes*) return 0 ;; esac
    return 1
}

# A tmpfs mounted anew on the host is not the one that a running unit has in its own view.
same_tmpfs() {
    [ "$1" != rtmps ] || return 0
    property_of "edge-$1.service" MainPID
    pid=$property
    [ "$pid" -gt 0 ] 2>/dev/null || return 0
    seen=$(stat -c %d "/proc/$pid/root/run/edge/hls" /run/edge/hls 2>/dev/null) || {
        [ -z "$seen" ]
        return
    }
    [ "${seen%%[!0-9]*}" = "${seen##*[!0-9]}" ]
}

# Whether apt has replaced the program that unit $1 runs, or a module of it (nginx_from: packages).
replaced() {
    from_packages "$in_use" || return 1
    property_of "edge-$1.service" MainPID
    [ "$property" -gt 0 ] 2>/dev/null || return 1
    grep -q '/nginx[^ ]* (deleted)$' "/proc/$property/maps" 2>/dev/null
}

# What unit $1 needs, in one word in $need: start, restart, exchange, reload, or nothing.
need_of() {
    need=start
    active "$1" || return 0
    need=restart
    was "$1" unit
    unit_hash_of "$1"
    [ "$was" = "$now_unit" ] && same_tmpfs "$1" || return 0
    need=exchange
    was "$1" build
    [ "$was" = "$in_use" ] && ! replaced "$1" || return 0
    need=reload
    was "$1" conf
    conf_hash_of "$1"
    [ "$was" = "$now_conf" ] || return 0
    need=
}

why() {
    case $1 in
        restart)
            if [ "$(started "$2" unit)" != "$(unit_hash "$2")" ]; then
                say "running with an old unit file"
            else
                say "has lost the HLS mount"
            fi
            ;;
        exchange)
            if replaced "$2"; then
                say "running NGINX of before an update of its packages"
            else
                say "running old build $(started "$2" build)"
            fi
            ;;
        reload) say "running old release $(started "$2" release)" ;;
    esac
}

# Names of all live streams, those of workers that finish included. Nothing is live where nothing answers.
live_streams() {
    curl -fsS --max-time 5 http://127.0.0.1:1980/streams.json 2>/dev/null |
        grep -o '{"name":"[A-Za-z0-9_-]*","\(ms\|draining\)"' | cut -d '"' -f 4 | sort
}

# Streams that end with a restart of unit $1, in words; the web server's viewers ask again.
held_by() {
    case $1 in
        rtmp) joined "$(live_streams)" ;;
        rtmps)
            behind_tls=$(ss -Htn state established sport = :1983 2>/dev/null | wc -l)
            [ "$behind_tls" = 0 ] || say "$behind_tls over TLS"
            ;;
    esac
}

# Lines as "a, b, c".
joined() { printf '%s' "$1" | paste -sd , - | sed 's/,/, /g'; }

# Processes whose parent is $1.
children() { grep -ls "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status 2>/dev/null | cut -d / -f 3; }

# Workers of unit $1 that take nothing new and finish what they have.
finishing() {
    grep -ls '^nginx: worker process is shutting down' /proc/[0-9]*/cmdline 2>/dev/null | cut -d / -f 3 |
        while read -r worker; do
            ! grep -q "/edge-$1\.service$" "/proc/$worker/cgroup" 2>/dev/null || say "$worker"
        done
}

# What worker $1 runs, in words; nothing where that is the program of the build in use.
old_program() {
    [ "$(stat -L -c %d:%i "/proc/$1/exe" 2>/dev/null)" != "$(stat -L -c %d:%i "$IN_USE/sbin/nginx" 2>/dev/null)" ] || return 0
    path=$(readlink "/proc/$1/exe" 2>/dev/null) || return 0
    case $path in
        "$BUILDS"/*) path=${path#"$BUILDS/"} && say "old build ${path%%/*}" ;;
        *) say "NGINX of before an update of its packages" ;;
    esac
}

# Streams of worker $1.
streams_of() { grep -ls "^$1 " /run/edge-rtmp/publishers/* 2>/dev/null | sed 's|.*/||' | sort; }

# Streams of workers that finish.
finishing_streams() { finishing rtmp | while read -r worker; do streams_of "$worker"; done; }

# The build on disk takes unit $1 over.
exchange() {
    pid_file=/run/edge-$1/nginx.pid
    read -r old <"$pid_file" && kill -USR2 "$old" || return 1
    if ! successor "$pid_file" "$old"; then
        printf 'edge-release: the new binary of edge-%s did not come up\n' "$1" >&2
        [ "$new" = "$old" ] || kill -KILL "$new" 2>/dev/null || :
        return 1
    fi
    workers=$(children "$old")
    # The old master alone, so that it does not bring workers back; systemd takes the new one for the main process from here.
    kill -KILL "$old"
    for worker in $workers; do
        [ "$worker" = "$new" ] || kill -QUIT "$worker" 2>/dev/null || :
    done
    rm -f "$pid_file.oldbin"
    followed "$1" "$new" || return 1
    record "$1" exchange
}

# Waits until PID file $1 names another master than $2, with workers of its own; its number is in $new.
successor() {
    new=$2
    tries=$((PROBE_SECONDS * 20))
    began=
    while [ "$tries" -gt 0 ]; do
        sleep 0.05
        tries=$((tries - 1))
        read -r new 2>/dev/null <"$1" || new=$2
        if [ "$new" != "$2" ]; then
            [ -z "$(children "$new")" ] || return 0
        elif [ -e "$1.oldbin" ]; then
            began=1
        elif [ -n "$began" ]; then
            # It has ended, and the old master has its file back.
            return 1
        fi
    done
    return 1
}

# systemd has process $2 for the main one of unit $1.
followed() {
    tries=$((PROBE_SECONDS * 10))
    while [ "$(systemctl show -P MainPID "edge-$1.service" 2>/dev/null)" != "$2" ]; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.1
    done
}

# Brings all units to what is on disk. Prints what it did; 3 when a restart was put off.
settle() {
    : >$PENDING.new
    # Of a former release that had none.
    [ -f "$LIVE"/rtmps.conf ] || systemctl stop edge-rtmps.service 2>/dev/null || true
    for unit in $(units_of "$LIVE"); do
        look
        need_of "$unit"
        case $need in
            '') ;;
            exchange)
                old_build=$(started "$unit" build)
                exchange "$unit" || return 1
                say "exchange $unit, which ran $old_build"
                ;;
            restart) settle_restart "$unit" || return 1 ;;
            *)
                systemctl reset-failed "edge-$unit.service" 2>/dev/null || true
                systemctl "$need" "edge-$unit.service" || return 1
                say "$need $unit"
                ;;
        esac
    done
    mv $PENDING.new $PENDING
    if [ -s $PENDING ]; then
        keep_looking
        return 3
    fi
    rm -f $PENDING
    systemctl stop edge-settle.timer 2>/dev/null || true
}

# A restart of unit $1, now or when it cuts nobody.
settle_restart() {
    held=$(held_by "$1")
    if [ -n "$held" ] && [ -z "$restart_streams" ]; then
        say "deferred: $held live, $1 $(why restart "$1")"
        printf 'edge-%s %s\n' "$1" "$(why restart "$1")" >>$PENDING.new
        bring "$1"
        return
    fi
    systemctl reset-failed "edge-$1.service" 2>/dev/null || true
    systemctl restart "edge-$1.service" || return 1
    say "restart $1"
    [ -z "$held" ] || tell_cut "$held"
}

# What comes without a restart must not wait for one; unit $1 goes on with its old file and mounts.
bring() {
    if [ "$(started "$1" build)" != "$in_use" ] || replaced "$1"; then
        exchange "$1" || return 1
        say "exchange $1"
    elif [ "$(started "$1" conf)" != "$(conf_hash "$1")" ]; then
        systemctl reload "edge-$1.service" || return 1
        say "reload $1"
    fi
}

tell_cut() {
    say "cut: $1"
    printf '%s %s\n' "$(date +%s)" "$1" >$CUT
}

# Makes up for what was put off, once it can. A transient unit: after a boot nothing is put off.
keep_looking() {
    systemctl is-active -q edge-settle.timer || systemd-run -q --unit=edge-settle --on-active=$SETTLE_SECONDS \
        --on-unit-inactive=$SETTLE_SECONDS --timer-property=AccuracySec=5s \
        --description="Streaming edge: a restart that waits until nobody publishes" \
        /opt/edge/bin/edge-release settle 2>/dev/null || true
}

# Ends workers that finish; their publishers connect to the new ones at once.
# A connection is ended by the kernel, so that the worker still writes what it has; where the kernel cannot, with the worker.
end_finishing() {
    for unit in $(units_of "$LIVE"); do
        for worker in $(finishing "$unit"); do
            ended=$(end_worker "$worker")
            [ -z "$ended" ] || tell_cut "$ended"
        done
    done
}

# Ends worker $1 and prints the names of its streams.
end_worker() {
    names=
    for file in /run/edge-rtmp/publishers/*; do
        grep -qs "^$1 " "$file" || continue
        read -r _ _ _ _ address <"$file" || continue
        names="${names:+$names, }${file##*/}"
        # The name is free for who comes back, who may be faster than the news of his leaving.
        rm -f "$file"
        hang_up "$1" "$address" || :
    done
    tries=$((HANG_UP_SECONDS * 10))
    while [ -n "$names" ] && [ "$tries" -gt 0 ] && [ -d "/proc/$1" ]; do
        sleep 0.1
        tries=$((tries - 1))
    done
    kill -TERM "$1" 2>/dev/null || :
    say "$names"
}

# Ends what process $1 has open with address $2, by the kernel (CONFIG_INET_DIAG_DESTROY), and what that address has open
# with edge-rtmps, which the process sees as its own host's. Others at the same address come back by themselves.
hang_up() {
    ended=1
    case $2 in
        *:*) address="[$2]" ;;
        *) address=$2 ;;
    esac
    owners="pid=$1,"
    for worker in $(rtmps_workers); do
        owners="$owners|pid=$worker,"
    done
    for peer in $(ss -Htnp state established dst "$address" 2>/dev/null | grep -E "$owners" | awk '{ print $4 }'); do
        [ -z "$(ss -HtnK state established dst "$peer" 2>/dev/null)" ] || ended=0
    done
    return $ended
}

rtmps_workers() {
    master=$(systemctl show -P MainPID edge-rtmps.service 2>/dev/null) || return 0
    [ "$master" -gt 0 ] 2>/dev/null || return 0
    children "$master"
    finishing rtmps
}

# Says what is put off, and which streams stay with an old build.
pending() {
    # shellcheck disable=SC2015 # cat's failure is the same as nothing
    [ -s $PENDING ] && cat $PENDING || :
    finishing rtmp | while read -r worker; do
        program=$(old_program "$worker")
        names=$(joined "$(streams_of "$worker")")
        [ -z "$program" ] || [ -z "$names" ] || say "$names with $program"
    done
}
