import { sh } from "../sh.js";

/**
 * m_cmd [PROGRAM [CREATES [REMOVES [DIR [FLAGS]]]]]: runs the function X, which the call defines, in a subshell, in DIR. PROGRAM,
 * where it is none, is what the failure says. CREATES and REMOVES are shell that gives paths; flags: k keeps line breaks at the
 * end, t tells the time. m_script DIGEST CREATES REMOVES DIR: likewise, of a script; its words are plain.
 */
export const commandText = sh`
CF='rc stdout stderr msg start end delta'
# begin DIR: goes where a login begins, and from there to DIR
begin() {
  cd "$HD" 2>/dev/null || cd / || exit
  # shellcheck disable=SC2164
  [ -z "$1" ] || cd "$1" 2>/dev/null
}
back() { cd "$W" || exit; }
# some PATH...: one of them is there
some() {
  for _p; do
    if [ -e "$_p" ] || [ -L "$_p" ]; then return 0; fi
  done
  return 1
}
# later WHY: left for apply, as nobody knows what it would do
later() { PEND=$1 LATER=1; }
# cond CREATES REMOVES DIR: false when the command has nothing to do; KNOWN tells check mode that it would run
cond() {
  KNOWN='' R_stdout='' R_stderr='' R_rc=0 R_msg=''
  unset R_start R_end R_delta
  if ! begin "$3"; then
    if awaited; then later "$3 not there yet"; return 1; fi
    if [ -d "$3" ]; then _w='13] Permission denied'
    elif [ -e "$3" ]; then _w='20] Not a directory'
    else _w='2] No such file or directory'; fi
    unset R_rc
    R_msg="Unable to change directory before execution: [Errno $_w: b'$3'"
    bad "$R_msg"
    return 1
  fi
  if [ -n "$1" ]; then
    eval "_w=$1"
    if eval "some $1"; then nothing "$_w" exists; return 1; fi
    KNOWN="$_w missing"
  fi
  if [ -n "$2" ]; then
    eval "_w=$2"
    if ! eval "some $2"; then nothing "$_w" 'does not exist'; return 1; fi
    KNOWN="$_w exists"
  fi
  if [ -n "$K" ]; then
    R_msg='Command would have run if not in check mode'
    if [ -n "$KNOWN" ]; then chg "$KNOWN"; else later 'check mode does not run commands'; fi
    return 1
  fi
}
# nothing PATH STATE: so there is nothing to run
nothing() {
  fine "$1 $2"
  _d=Did
  if [ -n "$K" ]; then _d=Would; fi
  R_msg="$_d not run command since '$1' $2" R_stdout="skipped, since $1 $2"
}
# now: N_ is the time in hundredths of a second; costs a process only the first time
now() {
  read -r _u _x </proc/uptime
  _u=$\{_u%.*}$\{_u#*.}
  if [ -z "$\{T0-}" ]; then
    T0=$(date '+%s00 %z')
    TZ0=$\{T0#* } T0=$(($\{T0% *} - _u))
  fi
  N_=$((T0 + _u))
}
# took START: R_start, R_end and R_delta of what began then
took() {
  now
  lasted "$1" "$N_" "$TZ0"
}
# lasted START END ZONE: R_start, R_end and R_delta
lasted() {
  R_start="$1 $3" R_end="$2 $3"
  _n=$(($2 - $1))
  _m=$((100 + _n / 6000 % 60)) _s=$((100 + _n / 100 % 60)) _c=$((100 + _n % 100))
  R_delta=$((_n / 360000)):$\{_m#1}:$\{_s#1}.$\{_c#1}0000
  case $_c in 100) R_delta=$\{R_delta%.*} ;; esac
}
# output FLAGS: what X has left
output() {
  LC_ALL=C
  export LC_ALL
  R_stdout='' R_stderr=''
  [ ! -s "$W/o" ] || R_stdout=$(tr -d '\000' <"$W/o"; echo .)
  [ ! -s "$W/e" ] || R_stderr=$(tr -d '\000' <"$W/e"; echo .)
  R_stdout=$\{R_stdout%.} R_stderr=$\{R_stderr%.}
  case $1 in
  *k*) ;;
  *)
    ends "$R_stdout"
    R_stdout=$F_
    ends "$R_stderr"
    R_stderr=$F_
    ;;
  esac
  if [ "$R_rc" != 0 ]; then
    cat "$W/o" "$W/e" >"$W/oe"
    OUT=$W/oe R_msg='non-zero return code'
    # as in Ansible it has changed something all the same
    FCH=1
    bad "exit status $R_rc"
  fi
}
# ends TEXT: F_ is it without line breaks at its end
ends() {
  F_=$1
  while :; do
    case $F_ in
    *"$NL") F_=$\{F_%"$NL"} ;;
    *[![:print:]]) # most outputs need no process for this
      _c=$(printf '\r')
      case $F_ in *"$_c") F_=$\{F_%"$_c"} ;; *) return ;; esac
      ;;
    *) return ;;
    esac
  done
}
# noprogram DIR PROGRAM: true, with the reason, when it is none
noprogram() {
  case $2 in
  */*)
    if (begin "$1" && [ -f "$2" ] && [ -x "$2" ]); then return 1; fi
    (begin "$1" && [ -e "$2" ]) && _p=13 || _p=2
    ;;
  *)
    _p=2 _i=$IFS IFS=:
    for _d in $PATH; do
      if [ -f "$_d/$2" ] && [ -x "$_d/$2" ]; then _p=; break; fi
    done
    IFS=$_i
    [ -n "$_p" ] || return 1
    ;;
  esac
  R_rc=$_p R_stdout='' R_stderr=''
  if [ "$_p" = 2 ]; then R_msg='No such file or directory'; else R_msg='Permission denied'; fi
  R_msg="[Errno $_p] $R_msg: b'$2'"
  bad "$R_msg" || :
}
# launch DIR: X there, as after a login
launch() {
  if [ -n "$OLC" ]; then LC_ALL=$OLC; else unset LC_ALL; fi
  (begin "$1"; X) >"$W/o" 2>"$W/e" 9>&- 3>&-
  R_rc=$?
}
m_cmd() {
  cond "$\{2-}" "$\{3-}" "$\{4-}" || { back; return 0; }
  back
  #apply
  chg "$\{KNOWN:-ran}"
  case $\{5-} in *t*) now; _t=$N_ ;; esac
  launch "$\{4-}"
  case $R_rc in
  126 | 127)
    if [ -n "$\{1-}" ] && noprogram "$\{4-}" "$1"; then return; fi
    ;;
  esac
  output "$\{5-}"
  case $\{5-} in *t*) took "$_t" ;; esac
  #end
}
m_script() {
  KNOWN=
  unset R_stdout R_stderr R_rc R_msg
  if [ -n "$2" ] && [ -e "$2" ]; then skip "$2 exists, matching creates option"; return; fi
  if [ -n "$3" ] && [ ! -e "$3" ]; then skip "$3 does not exist, matching removes option"; return; fi
  if [ -n "$K" ]; then
    if [ -n "$2$3" ]; then chg 'would run'; else later 'Check mode is not supported for this task.'; fi
    return
  fi
  #apply
  [ -f "$W/p/$1" ] || need "$1"
  chg ran
  launch "$4"
  output k
  #end
}
`;
