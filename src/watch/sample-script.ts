import { CERTIFICATE_RECORD } from "../edge/certificate.js";
import { compact, sh } from "../modules/sh.js";
import { quote } from "../util/shell.js";

/** A host that nobody asks for so long stops listening: a link may die without a word. */
export const IDLE_SECONDS = 120;
/** What changes rarely is looked at once in so many samples. */
const SLOW_EVERY = 300;

/**
 * Answers each line on stdin, a nonce, with one sample. Bash, because it opens sockets and reads files without processes: a
 * sample starts four small ones (two stat, two head), whatever the number of streams. Bash's own read of a socket takes
 * a system call for each byte and costs more than head.
 */
const loop = sh`
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec 2>/dev/null
shopt -s nullglob
ask() {
    {
        printf 'GET %s HTTP/1.0\r\n\r\n' "$3" >&3
        printf 'part\t%s\n' "$1"
        head -c 262144 <&3
        printf '\n%s\n' "$nonce"
    } 3<>"/dev/tcp/127.0.0.1/$2"
}
default_interface() {
    interface=
    while read -r i d _; do
        [ "$d" = 00000000 ] && interface=$i && return
    done </proc/net/route
    while read -r d p _ _ _ _ _ _ _ i; do
        [ "$d $p" = '00000000000000000000000000000000 00' ] && [ "$i" != lo ] && interface=$i && return
    done </proc/net/ipv6_route
}
sample() {
    printf 'now\t%s\n' "$EPOCHREALTIME"
    read -r _ rest </proc/stat
    printf 'cpu\t%s\n' "$rest"
    while read -r k v _; do
        case $k in
            MemTotal:) total=$v ;;
            MemAvailable:) printf 'mem\t%s %s\n' "$total" "$v"; break ;;
        esac
    done </proc/meminfo
    default_interface
    while IFS=' :' read -r i rx _ _ _ _ _ _ _ tx _; do
        [ "$i" = "$interface" ] && printf 'net\t%s %s\n' "$rx" "$tx"
    done </proc/net/dev
    read -r v </sys/class/thermal/thermal_zone0/temp && printf 'temp\t%s\n' "$v"
    if [ -r /sys/devices/platform/soc/soc:firmware/get_throttled ]; then
        read -r v </sys/devices/platform/soc/soc:firmware/get_throttled
        printf 'power\t0x%s\n' "$v"
    elif command -v vcgencmd >/dev/null; then
        printf 'power\t%s\n' "$(vcgencmd get_throttled)"
    fi
    units='rtmp http'
    [ ! -e /etc/edge/live/rtmps.conf ] || units="$units rtmps"
    for u in $units; do
        v=
        read -r v <"/run/edge-$u/nginx.pid"
        if [ -n "$v" ] && [ -d "/proc/$v" ]; then v=1; else v=0; fi
        printf 'unit\tedge-%s %s\n' "$u" "$v"
    done
    printf 'tmpfs\t'
    stat -f -c '%T %S %b %f' /run/edge/hls || echo
    for f in /run/edge-rtmp/publishers/*; do
        read -r v _ <"$f" && [ -d "/proc/$v" ] || continue
        printf 'claim\t%s\n' "$\{f##*/}"
        [ "/proc/$v/exe" -ef /opt/edge/nginx/sbin/nginx ] || printf 'old\t%s\n' "$\{f##*/}"
    done
    while read -r v; do printf 'pending\t%s\n' "$v"; done </run/edge-release.pending
    read -r v </run/edge-release.cut && printf 'cut\t%s\n' "$v"
    lists=(/run/edge/hls/*.m3u8)
    views=(/run/edge-http/views/*)
    stat --printf='file\t%n %.3Y %s\n' /etc/edge/live "$\{lists[@]}" /run/edge-http/views "$\{views[@]}"
    for f in "$\{lists[@]}"; do
        mapfile -t lines <"$f"
        printf 'list\t%s' "$f"
        for v in "$\{lines[@]}"; do
            case $v in '#EXTINF:'*) v=$\{v#*:}; printf ' %s' "$\{v%%,*}" ;; esac
        done
        echo
    done
    ask rtmp 1980 /rtmp_stat
    if [ -n "$vts" ]; then ask traffic 1981 /traffic; else ask connections 1981 /connections; fi
}
slow_things() {
    vts=
    grep -q vhost_traffic_status_display_format /etc/edge/live/http.conf && vts=1
    if [ -e CERTIFICATE ]; then printf 'cert\t%s\n' "$(<CERTIFICATE)"; else printf 'cert\t-\n'; fi
}
n=0
while read -r -t IDLE nonce; do
    printf 'begin\t%s\n' "$nonce"
    [ $((n % SLOW_EVERY)) -ne 0 ] || slow_things
    n=$((n + 1))
    sample
    printf 'end\t%s\n' "$nonce"
done
`;

/** The command line that answers on its stdin, for a shell of root. */
export const samplerCommand = `exec bash -c ${quote(
  compact(loop)
    .replace("-t IDLE", `-t ${IDLE_SECONDS}`)
    .replace("SLOW_EVERY", String(SLOW_EVERY))
    .replaceAll("CERTIFICATE", CERTIFICATE_RECORD),
)}`;
