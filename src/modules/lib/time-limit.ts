import { sh } from "../sh.js";

/**
 * limit SECONDS: ends what the task at hand runs when they are over, with all that came of it. over MESSAGE FIELD...: the task is
 * done; where its time was over it has failed with MESSAGE, whatever its module says, and FIELDs are none of its result.
 */
export const limitText = sh`
limit() {
  LATE=
  cutter "$1" </dev/null >/dev/null 2>&1 3>&- 9>&- &
  LP=$!
}
# cutter SECONDS: a process of its own
cutter() {
  read -r _me _l </proc/self/stat
  trap 'kill -s KILL "$_sl" 2>/dev/null; exit' TERM
  sleep "$1" &
  _sl=$!
  : >"$W/lp"
  wait "$_sl"
  : >"$W/late"
  _g=TERM _n=5
  while :; do
    # its program may have been killed, and its number be another's
    read -r _l <"/proc/$_me/stat"
    _l=$\{_l##*) }
    _l=$\{_l#* }
    [ "$\{_l%% *}" = $$ ] || exit
    below
    # shellcheck disable=SC2086
    kill -s "$_g" $_all 2>/dev/null
    sleep 1 &
    _sl=$!
    wait "$_sl"
    _n=$((_n - 1))
    [ "$_n" -gt 0 ] || _g=KILL
  done
}
# below: _all are the processes below this program, but for those of the cutter
below() {
  _all='' _is=" $$ " _more=1
  while [ -n "$_more" ]; do
    _more=
    for _p in /proc/[0-9]*; do
      { read -r _l <"$_p/stat"; } 2>/dev/null || continue
      _p=$\{_p#/proc/} _l=$\{_l##*) }
      _l=$\{_l#* }
      case $_is in *" $_p "*) continue ;; *" $\{_l%% *} "*) ;; *) continue ;; esac
      [ "$_p" != "$_me" ] || continue
      _is="$_is$_p " _all="$_all $_p" _more=1
    done
  done
}
over() {
  # before its trap is set a signal would be lost
  while kill -0 "$LP" 2>/dev/null && [ ! -e "$W/lp" ]; do :; done
  kill "$LP" 2>/dev/null
  wait "$LP" 2>/dev/null
  rm -f "$W/lp"
  [ -e "$W/late" ] || return 0
  rm -f "$W/late"
  LATE=1 BAD=$1 PEND='' SKIP='' CH='' NCH=0 FCH=''
  shift
  for _k; do unset "R_$_k"; done
}
`;
