import { sh } from "../sh.js";

/**
 * m_job KEY SECONDS POLL CREATES REMOVES DIR: runs the text in JOB as a transient unit that outlives this program, and that
 * leaves processor and disk to all others (their weight is 100).
 * The exit status lands in KEY.rc; a later program with the same KEY re-attaches or takes the result.
 */
export const asyncText = sh`
m_job() {
  cond "$4" "$5" "$\{6-}" || { back; return 0; }
  back
  #apply
  job "$@"
  #end
}
job() {
  _k=$BD/$1 _u=edge-setup-$1.service
  _off=0
  if systemctl is-active -q "$_u"; then
    chg "$\{KNOWN:-ran}, re-attached"
    _off=$(($(wc -c <"$_k.log") - 4096))
    [ "$_off" -gt 0 ] || _off=0
  elif [ -e "$_k.rc" ] && { [ "$(cat "$_k.rc")" = 0 ] || [ "$(cat "$_k.id" 2>/dev/null)" = "$RUNID" ]; }; then
    chg "$\{KNOWN:-ran}, finished meanwhile"
  else
    chg "$\{KNOWN:-ran}"
    if ! { mkdir -p "$BD" && chmod 700 "$BD" && rm -f "$_k.rc" && : >"$_k.log"; }; then
      bad "cannot write $BD"
      return 1
    fi
    printf '%s\n' "$JOB" >"$_k.sh"
    chmod 600 "$_k.sh"
    printf '%s\n' "$RUNID" >"$_k.id"
    systemctl reset-failed "$_u" 2>/dev/null
    # shellcheck disable=SC2016
    try systemd-run --quiet --collect --unit="$_u" --property=RuntimeMaxSec="$2" --property=KillMode=control-group \
      --property=WorkingDirectory="-$HD" --property=CPUWeight=10 --property=IOWeight=10 \
      --description="edge-setup job" -- /bin/sh -c \
      '/bin/sh "$1.sh" >"$1.log" 2>&1 </dev/null; echo $? >"$1.new" && mv "$1.new" "$1.rc"' job "$_k" || return 1
  fi
  _z=$3
  [ "$_z" -le 2 ] || _z=2
  while :; do
    _up=
    if [ ! -e "$_k.rc" ] && systemctl is-active -q "$_u"; then _up=1; fi
    _n=$(wc -c <"$_k.log")
    while [ "$_off" -lt "$_n" ]; do
      _c=$((_n - _off))
      [ "$_c" -le 32768 ] || _c=32768
      emit l "$C" "~$(tail -c +$((_off + 1)) "$_k.log" | head -c "$_c" | base64 | tr -d '\n')"
      _off=$((_off + _c))
    done
    [ -n "$_up" ] || break
    if [ -n "$STOP" ]; then fin stopped; fi
    emit t "$C"
    sleep "$_z"
  done
  OUT=$_k.log
  R_stdout=$(tail -c 65536 "$_k.log" | tr -d '\000')
  R_stderr='' R_finished=1
  if [ -e "$_k.rc" ]; then
    R_rc=$(cat "$_k.rc")
    rm -f "$_k.rc" "$_k.sh" "$_k.id"
    [ "$R_rc" = 0 ] || bad "exit status $R_rc, log in $_k.log"
  else
    R_rc=-1
    bad "did not finish within $2 s, or was stopped; log in $_k.log"
  fi
}
# m_start KEY SECONDS CMD CREATES REMOVES DIR: runs the text in JOB likewise, and does not wait for it; CMD is the task's own, as JSON
m_start() {
  unset R_rc
  if [ -n "$K" ]; then later 'check mode and async cannot be used on same task.'; return; fi
  #apply
  chg ran
  _j=$1.$RUNID.$C
  # a program that is sent once more after its link broke begins with the call at which it did
  [ "$C" = "$START" ] || while [ -e "$BD/$_j" ]; do _j=$\{_j}0; done
  _k=$BD/$_j
  R_ansible_job_id=$_j R_results_file=$_k R_started=1 R_finished=0
  [ ! -e "$_k" ] || return 0
  if ! { mkdir -p "$BD" && chmod 700 "$BD" && (umask 077 && printf '%s\n' "$JOB" >"$_k.sh" && printf %s "$3" >"$_k"); }; then
    bad "cannot write $BD"
    return 1
  fi
  if [ -n "$\{4-}$\{5-}" ]; then
    if (begin "$\{6-}" && needless "$4" "$\{5-}") >"$_k.skip"; then return 0; fi
    rm -f "$_k.skip"
  fi
  # shellcheck disable=SC2016
  try systemd-run --quiet --collect --unit="edge-setup-$_j.service" --property=RuntimeMaxSec="$2" \
    --property=KillMode=control-group --property=KillSignal=KILL --property=UMask=0022 --setenv=HOME \
    --property=WorkingDirectory="-$HD" --property=CPUWeight=10 --property=IOWeight=10 --description="edge-setup job" -- /bin/sh -c \
    'umask 077; date "+%s%N %z" >"$1.begin"; (umask 022; exec /bin/sh "$1.sh") >"$1.out" 2>"$1.err" </dev/null; r=$?
date "+%s%N" >"$1.end"; echo $r >"$1.new" && mv "$1.new" "$1.rc"' job "$_k" || rm -f "$_k" "$_k.sh"
  #end
}
# needless CREATES REMOVES: what makes that a command has nothing to do, or false
needless() {
  if [ -n "$1" ] && eval "some $1"; then _s=exists
  elif [ -n "$2" ] && ! eval "some $2"; then
    _s='does not exist'
    set -- "$2"
  else return 1; fi
  eval "_w=$1"
  printf '%s\n' "$_w" "$_s"
}
# m_jobstate JID MODE: what became of it
m_jobstate() {
  _k=$BD/$1 R_ansible_job_id=$1 R_started=1 R_finished=0 R_stdout='' R_stderr=''
  unset R_rc R_msg R_cmd R_erased R_results_file R_start R_end R_delta
  if [ ! -e "$_k" ]; then
    R_finished=1 R_results_file=$_k
    bad 'could not find job'
    return 1
  fi
  if [ "$2" = cleanup ]; then
    R_started=0 R_erased=$_k
    fine erased
    [ -n "$K" ] || rm -f "$_k" "$_k".*
    return
  fi
  R_results_file=$_k
  if [ -e "$_k.skip" ]; then
    { read -r _w && read -r _s; } <"$_k.skip"
    R_finished=1 R_rc=0 R_cmd=$(cat "$_k") R_stdout="skipped, since $_w $_s" R_start='' R_end='' R_delta=null
    R_msg="Did not run command since '$_w' $_s"
    fine "$_w $_s"
    return
  fi
  if [ ! -e "$_k.rc" ]; then
    if systemctl is-active -q "edge-setup-$1.service" || [ -e "$_k.rc" ]; then fine 'still running'; return; fi
    R_finished=1 R_msg='Timeout exceeded'
    bad 'did not finish in its time, or was stopped'
    return 1
  fi
  R_finished=1 R_rc=$(cat "$_k.rc") R_cmd=$(cat "$_k") R_msg=''
  R_stdout=$(tr -d '\000' <"$_k.out") R_stderr=$(tr -d '\000' <"$_k.err")
  read -r _b _z <"$_k.begin"
  read -r _e <"$_k.end"
  lasted "$\{_b%???????}" "$\{_e%???????}" "$_z"
  R_delta="\"$R_delta\""
  chg 'has run' || :
  if [ "$R_rc" != 0 ]; then
    R_msg='non-zero return code' FCH=1 OUT=$_k.err
    bad "exit status $R_rc"
  fi
}
`;
