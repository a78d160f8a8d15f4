import { sh } from "../sh.js";

/**
 * m_wait KIND TARGET STATE TIMEOUT DELAY SLEEP MESSAGE HOST CONNECT REGEX: KIND is port, path, drained or ''. For drained TARGET is
 * a pattern of addresses as /proc/net/tcp has them, and REGEX one of those that do not count. The port is dialled by bash.
 */
export const waitText = sh`
m_wait() {
  unset R_elapsed
  if [ -n "$K" ]; then
    # before an apply: what is so already is not waited for
    if [ -n "$\{LOOK-}" ] && [ "$1:$3:$5$\{10}" = port:started:0 ] && waitfor "$@"; then R_elapsed=0; fine "$\{8:+$8:}$2 is $3"
    else BAD='' PEND='check mode does not wait'; fi
    return
  fi
  #apply
  _t0=$(date +%s)
  _end=$((_t0 + $4))
  [ "$5" = 0 ] || sleep "$5"
  if [ -z "$1" ]; then
    sleep "$4"
    fine "waited $4 s"
  fi
  while [ -n "$1" ]; do
    _now=$(date +%s)
    if [ "$_now" -ge "$_end" ]; then bad "$\{7:-Timeout when waiting for $\{8:+$8:}$2 to be $3}"; break; fi
    if waitfor "$@"; then
      fine "$\{8:+$8:}$2 is $3"
      break
    fi
    if [ -n "$BAD" ] || [ -e "$W/late" ]; then break; fi
    if [ -n "$STOP" ]; then fin stopped; fi
    sleep "$6"
  done
  R_elapsed=$(($(date +%s) - _t0))
  #end
}
# m_reach DELAY: the program runs, so the host is there
m_reach() {
  unset R_elapsed
  if [ -n "$K" ] && [ -z "$\{LOOK-}" ]; then skip 'check mode does not wait'; return; fi
  R_elapsed=0
  fine 'the host answers'
  #apply
  [ -z "$K" ] || return 0
  sleep "$1"
  R_elapsed=$1
  #end
}
waitfor() {
  case $1:$3 in
  path:absent) [ ! -e "$2" ] ;;
  path:*)
    [ -e "$2" ] && { [ -z "$\{10}" ] || { [ -f "$2" ] && found "$\{10}" <"$2"; }; }
    ;;
  drained:*)
    ! cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -E "^ *[0-9]+: ($2) " | grep -Evq " ($\{10}):[0-9A-F]{4} "
    ;;
  port:absent) ! dial "$8" "$2" "$9" ;;
  port:*)
    if [ -z "$\{10}" ]; then dial "$8" "$2" "$9"; else dialread "$8" "$2" "$((_end - _now))" "$\{10}"; fi
    ;;
  esac
}
found() {
  tr -d '\000' >"$W/seen"
  grep -Eq -e "$1" "$W/seen"
}
dial() { timeout "$3" bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" >/dev/null 2>&1; }
dialread() {
  timeout "$3" bash -c 'exec 3<>"/dev/tcp/$0/$1" || exit 1
d=
while :; do
  IFS= read -r -d "" -n 1024 -t 0.5 c <&3
  s=$?
  d=$d$c
  printf %s "$d" >"$3"
  grep -Eq -e "$2" "$3" && exit 0
  [ "$s" = 0 ] || [ "$s" -gt 128 ] || exit 1
done' "$1" "$2" "$4" "$W/seen" >/dev/null 2>&1
}
`;
