import { sh } from "../modules/sh.js";

/**
 * What every program begins with. The variables it expects are set before it: W (a directory of its own), RUNID, NONCE,
 * CHECK (1 or empty), DIFF, START (first call to run), WHO (text for the lock), HL (numbers of the handlers), H<n> and
 * HS<n> (notified, hash of the name). Programs in check mode go without the lines between #apply and #end.
 *
 * HD is where a login begins. LATER: something would have changed, in check mode.
 * State of a running task: K check mode, S status, CH reasons of change, NCH their number, BAD reason of failure,
 * OKW reason for ok, PEND and SKIP reasons, OUT a file with output, FCH a failure that has changed something, NT handlers to notify, JN those journaled for it.
 * Lines to the controller: 0x1e, the nonce, a letter, fields, parted by tabs; see protocol.ts.
 */
export const runtimeText = sh`
umask 022
OLC=$\{LC_ALL-}
LC_ALL=C
PATH=$\{PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL PATH
exec </dev/null 3>&1 >/dev/null
HD=$\{OLDPWD:-/}
CN=0 STOP='' DEAD='' TOUCHED='' LF='' LCH='' LNS=''
UIDN=$(id -u)
JD=/var/lib/edge-setup/pending-handlers
BD=/var/lib/edge-setup/jobs
T='	'
NL='
'
trap 'cd / && rm -rf "$W"' EXIT
# The running task ends first; nothing begins after it.
trap 'STOP=1' HUP INT TERM PIPE

emit() {
  _l=$NONCE
  for _f; do _l=$_l$T$_f; done
  printf '\036%s\n' "$_l" >&3 2>/dev/null || STOP=1
}
# enc VALUE: E_ is the field, plain when it is printable ASCII
enc() {
  case $1 in
  *[!\ -~]*) E_="~$(printf %s "$1" | base64 | tr -d '\n')" ;;
  *) E_="=$1" ;;
  esac
}
fin() {
  _hn=
  for _h in $HL; do
    eval "_s=\$\{H$_h-}"
    if [ -n "$_s" ]; then _hn=$_hn$T$_h; fi
  done
  emit "h$_hn"
  emit z "$1"
  exit 0
}
# handlers that an earlier run notified and did not get to
journaled() {
  [ -d "$JD" ] || return 0
  for _h in $HL; do
    eval "_s=\$HS$_h"
    if [ -e "$JD/$_s" ]; then eval "H$_h=1"; fi
  done
}

# chg REASON: a change is due. True when it may be made now; notified handlers are journaled before it.
chg() {
  NCH=$((NCH + 1))
  if [ "$NCH" -le 3 ]; then CH="$CH$\{CH:+, }$1"; fi
  if [ -n "$K" ]; then
    [ -n "$RO" ] || LATER=1
    return 1
  fi
  [ -n "$RO" ] || TOUCHED=1
  #apply
  [ -z "$NT" ] || journal
  #end
  return 0
}
# awaited: in check mode something would have changed before, so that what is not there may be by then
awaited() { [ -n "$K" ] && [ -n "$LATER" ]; }
bad() { [ -n "$BAD" ] || BAD=$1; return 1; }
fine() { [ -n "$OKW" ] || OKW=$1; }
skip() { SKIP=$1; }
# try COMMAND...: runs it, a failure's last lines become the reason
try() {
  # to a file, not a pipe: a daemon that a command leaves behind would hold the pipe open
  if "$@" >"$W/m" 2>&1 3>&- 9>&-; then return 0; fi
  if [ -s "$W/m" ]; then bad "$(tail -n 3 "$W/m")"; else bad "$1 failed"; fi
}
journal() {
  # a plan writes nothing, even for a task with check_mode: false
  [ -z "$CHECK" ] && [ "$UIDN" = 0 ] || return 0
  for _h in $NT; do
    eval "_s=\$HS$_h"
    [ ! -e "$JD/$_s" ] || continue
    mkdir -p "$JD" && : >"$JD/$_s" && JN="$JN $_h"
  done
  [ -z "$JN" ] || sync "$JD" 2>/dev/null || :
}

# Looks at all paths of the program together: one process each instead of one or two a task. What it saw counts until
# a task changes something. ix PATH, which it defines, gives the path's number in I; its text stays in _c.
# probe N PATH...: ST_<n>, and of files behind the first N paths SH_<n>. The paths need no quoting in a pattern, and have no blanks.
# PZ is all that stat said; read would ask for it byte by byte.
probe() {
  _n=$1 _c='' I=0
  shift
  for _p; do I=$((I + 1)) _c="$_c$_p) I=$I ;;$NL"; done
  _c="ix() {
  case \$1 in $_c*) return 1 ;; esac
  }"
  eval "$_c"
  PZ=$(stat -c '%f %a %u %g %s %U %G %h %i %z %n' "$@" 2>/dev/null)
  IFS=$NL
  for _s in $PZ; do
    if ix "$\{_s##* }"; then eval "ST_$I=\$_s"; fi
  done
  shift "$_n"
  for _p; do
    shift
    ix "$_p"
    eval "_s=\$\{ST_$I-}"
    case $_s in 8*) set -- "$@" "$_p" ;; esac
  done
  # without files it is of an empty stdin, which has no place
  for _s in $(sha256sum "$@" 2>/dev/null); do
    if ix "$\{_s##* }"; then eval "SH_$I=\$\{_s%% *}"; fi
  done
  IFS=" $T$NL"
}
# fresh N PATH...: probes in the midst of a task, unless all is as it was when it was probed: whatever is done to a file
# gives it another time of change.
fresh() {
  if [ -n "$PZ" ] && [ "$PZ" = "$(stat -c '%f %a %u %g %s %U %G %h %i %z %n' "$@" 2>/dev/null)" ]; then
    eval "$IX"
    return
  fi
  PN=$_n PC=$_c PP=$_p PS=$_s
  I=$#
  while [ "$I" -gt 1 ]; do I=$((I - 1)); unset "ST_$I" "SH_$I"; done
  probe "$@"
  IX=$_c _n=$PN _c=$PC _p=$PP _s=$PS
}

# seen PATH: _s is what stat says of it, or what the probe has seen. False when there is nothing
seen() {
  if [ -z "$TOUCHED" ] && ix "$1"; then
    eval "_s=\$\{ST_$I-}"
    [ -n "$_s" ]
  else _s=$(stat -c '%f %a %u %g %s %U %G %h' "$1" 2>/dev/null)
  fi
}

# B [CALL]: begins a task, unless given the one behind the last; false when it is not to run. again(): see replay.ts
B() {
  CN=$\{1:-$((CN + 1))}
  [ -z "$DEAD" ] || return 1
  if [ "$CN" -lt "$START" ]; then again; return 1; fi
  [ -z "$STOP" ] || fin stopped
  C=$CN S='' WY='' CH='' NCH=0 BAD='' OKW='' PEND='' SKIP='' OUT='' NT='' JN='' NODIFF=0 VLD='' FRM='' RO='' FCH='' K=$CHECK
  R_rc=0
  emit s "$C"
  [ -z "$STOP" ] || fin stopped
}
# D: decides the status
D() {
  if [ -n "$BAD" ]; then S=failed WY=$BAD
  elif [ -n "$PEND" ]; then S=pending WY=$PEND
  elif [ -n "$SKIP" ]; then S=skipped WY=$SKIP
  elif [ "$NCH" -gt 0 ]; then
    S=changed WY=$CH
    if [ "$NCH" -gt 3 ]; then WY="$WY and $((NCH - 3)) more"; fi
  else S=ok WY=$\{OKW:-as wanted}
  fi
}
# RF NAME FIELD...: keeps the fields of the result as variables V_NAME_FIELD and reports them
RF() {
  _r=$1
  shift
  for _k; do
    eval "_y=\$\{R_$_k+y}"
    if [ -n "$_y" ] && [ "$S" != skipped ]; then
      eval "_v=\$R_$_k; V_$\{_r}_$_k=\$_v"
      if [ "$\{#_v}" -gt 65536 ]; then long "$_k"; else
        enc "$_v"
        emit v "$C" "$_k" "$E_"
      fi
    else
      unset "V_$\{_r}_$_k"
    fi
  done
  RS "$_r"
}
# long FIELD: reports _v in pieces
long() {
  if [ "$\{#_v}" -gt 8388608 ]; then S=failed WY="$1 has $\{#_v} bytes, more than a result takes (8 MiB)"; return; fi
  emit v "$C" "$1" =
  printf %s "$_v" | base64 -w 65536 | sed "s/^/$(printf '\036')$NONCE$\{T}V$T$C$T$1$T~/" >&3 || STOP=1
}
# RS NAME: keeps the status
RS() {
  eval "V_$\{1}_changed=false V_$\{1}_failed=false V_$\{1}_skipped=false"
  case $S in
  changed) eval "V_$\{1}_changed=true" ;;
  failed) eval "V_$\{1}_failed=true; [ -z \"$FCH\" ] || V_$\{1}_changed=true" ;;
  skipped | pending) eval "V_$\{1}_skipped=true" ;;
  esac
}
# CW: changed_when, after its condition; FW REASON: failed_when
CW() {
  case $S in
  ok | changed) ;;
  failed) FCH=$\{1#0}; return ;;
  *) return 0 ;;
  esac
  if [ "$1" = 1 ]; then S=changed WY=$\{CH:-$2}; else
    S=ok
    [ -z "$CH" ] || WY=$CH
  fi
}
FW() {
  case $S in skipped | pending) return 0 ;; esac
  if [ "$1" = 1 ]; then S=failed WY=$2 FCH=$\{NCH#0}
  elif [ "$S" = failed ]; then BAD='' S=''; D
  fi
}
# E FLAG: ends a task. i ignores a failure, l leaves it to the loop's end
E() {
  [ -n "$S" ] || D
  if [ "$S" = changed ]; then
    for _h in $NT; do eval "H$_h=1"; done
  #apply
  elif [ -n "$JN" ] && [ "$S" != failed ]; then
    for _h in $JN; do eval "_s=\$HS$_h"; rm -f "$JD/$_s"; done
  #end
  fi
  if [ -n "$OUT" ] && [ "$S" = failed ]; then
    emit o "$C" "~$(tail -c 65536 "$OUT" | base64 | tr -d '\n')"
  fi
  enc "$WY"
  # shellcheck disable=SC2086
  emit r "$C" "$S" "$E_" $FCH
  case $S in
  changed) LCH=1 LNS=1 ;;
  ok) LNS=1 ;;
  failed)
    LNS=1 LF=1 LCH=$LCH$FCH
    case $\{1-} in i | l) ;; *) DEAD=1 ;; esac
    ;;
  esac
}
# N [CALL], O [CALL]: a call that the controller has decided, skipped or ok
N() { if B "$@"; then skip -; E; fi; }
O() { if B "$@"; then fine -; E; fi; }
# toint VALUE: I_, 0 for what is no number, as the int filter
toint() {
  I_=$1
  case $\{1#-} in '' | *[!0-9]*) I_=0 ;; esac
}
# trim VALUE: F_
trim() {
  F_=$\{1#"$\{1%%[![:space:]]*}"}
  F_=$\{F_%"$\{F_##*[![:space:]]}"}
}
# isyes VALUE: the bool filter
isyes() { case $1 in [Tt]rue | TRUE | [Yy]es | YES | [Oo]n | ON | 1) return 0 ;; *) return 1 ;; esac }
# LS: begins a loop. LE FLAG NAME: ends it, i ignores failures, NAME gets the status of the whole
LS() { LF='' LCH='' LNS=''; }
LE() {
  if [ -n "$2" ]; then
    S=ok FCH=$LCH
    if [ -n "$LF" ]; then S=failed; elif [ -n "$LCH" ]; then S=changed; elif [ -z "$LNS" ]; then S=skipped; fi
    RS "$2"
  fi
  if [ -n "$LF" ] && [ "$1" != i ]; then DEAD=1; fi
}
# envkeep NAME...: what the environment has of them. envback NAME...: gives it back
envkeep() { for _k; do eval "OE_$_k=\$\{$_k-} OS_$_k=\$\{$_k+1}"; done; }
envback() {
  for _k; do
    eval "_s=\$OS_$_k"
    if [ -n "$_s" ]; then eval "$_k=\$OE_$_k"; else unset "$_k"; fi
  done
}
# from WORDS: of the source of this task, which is not there yet
from() { FRM=$1; }
# tell FILE: text for the controller
tell() { base64 -w 65536 <"$1" | sed "s/^/$(printf '\036')$NONCE$\{T}a$T$C$T~/" >&3 || STOP=1; }
# need WHAT: the controller has something for this task that was not sent
need() { enc "$1"; emit n "$C" "$E_"; fin need; }
# lockfile: LK. held: tells who holds it
lockfile() {
  if [ "$UIDN" = 0 ]; then LK=/run/edge-setup.lock; else LK=$\{XDG_RUNTIME_DIR:-/tmp}/edge-setup-$UIDN.lock; fi
}
held() {
  enc "$(head -c 512 "$LK")"
  emit k "$E_"
}
# hdone N: a notified handler has run
hdone() {
  [ -z "$DEAD" ] || return 0
  eval "H$1='' _s=\$HS$1"
  #apply
  rm -f "$JD/$_s"
  #end
}
# hinto N: one that includes others has run; they are notified by the next number
hinto() {
  [ -z "$DEAD" ] || return 0
  _h=$(($1 + 1))
  eval "H$1='' H$_h=1 _s=\$HS$1 _t=\$HS$_h"
  #apply
  [ ! -e "$JD/$_s" ] || mv "$JD/$_s" "$JD/$_t"
  #end
}
`;

/**
 * Takes the lock of the host. A program of the same run that still works (its link broke) is asked to end after its
 * task, and waited for; one that works for another name of the same machine is only waited for.
 */
export const lockText = sh`
lockfile
lock() {
  # a second: who has just taken it has not written yet
  flock -w 1 9 && return
  read -r _l <"$LK"
  case $_l in *"run $RUNID on"*) ;; *) return 1 ;; esac
  [ "$\{_l% *}" != "$WHO pid" ] || kill "$\{_l##* }" 2>/dev/null
  flock -w 900 9
}
if command -v flock >/dev/null 2>&1; then
  exec 9>>"$LK"
  lock || { held; fin locked; }
  printf '%s\n' "$WHO pid $$" >"$LK"
fi
emit p $$
`;

/** A plan only looks whether somebody holds the lock; a second for who has just taken it and has not written yet. */
export const lockLookText = sh`
lockfile
ours() {
  case $(cat "$LK") in *"run $RUNID on"*) ;; *) return 1 ;; esac
}
if [ -e "$LK" ] && command -v flock >/dev/null 2>&1 && exec 9<"$LK"; then
  flock -n -s 9 || ours || flock -w 1 -s 9 || ours || held
  exec 9<&-
fi
emit p $$
`;
