import { sh } from "../sh.js";

/**
 * m_apt UPDATE VALIDTIME OPTIONS PACKAGE...: present; m_aptnew likewise: at the latest version; m_aptrm PURGE OPTIONS PACKAGE...: absent; m_aptlists VALIDTIME: the lists alone.
 * A package is `name`, `name=version` (a pattern), or `name>=version`.
 * UPDATE 1 refreshes the lists when they are older than VALIDTIME seconds; with packages only when one is to be installed.
 * OPTIONS are apt-get's, in one word. Variables that a call sets: DO dpkg's options, PRE a function to run apt-get by, UR and UD
 * tries and most seconds between them of an update, UP only upgrades, VB a
 * function for packages with versions, SIM one for what is found missing in a check.
 */
export const aptText = sh`
m_apt() {
  _up=$1 _vt=$2 _rec=$3
  shift 3
  aptmiss "$@"
  if [ -z "$_miss" ]; then
    aptmanual
    fine "$# packages installed"
    return
  fi
  aptin "$_n of $# packages missing:$_miss"
}
# aptin REASON: installs what _want says
aptin() {
  if [ -n "$K" ]; then
    # shellcheck disable=SC2086
    $\{SIM-:} install $_rec $_want || return 1
  fi
  if chg "$1"; then
    if [ -n "$_up" ] && aptold "$_vt"; then aptup || return 1; fi
    # shellcheck disable=SC2086
    aptget install $_rec $_want
  fi
}
m_aptnew() {
  _up=$1 _vt=$2 _rec=$3
  shift 3
  #apply
  if [ -z "$K" ] && [ -n "$_up" ] && aptold "$_vt"; then aptup || return 1; fi
  _up=
  #end
  aptmiss "$@"
  _want=$_want$_there _r="$_n of $# packages missing:$_miss"
  if [ -z "$_miss" ]; then
    # shellcheck disable=SC2086
    [ -z "$_want" ] || _r=$(apt-get -s -q -o Debug::NoLocking=1 install $_rec $_want 2>/dev/null | sed -n 's/^Inst \([^ ]*\).*/\1/p' | tr '\n' ' ')
    if [ -z "$_r" ] || [ -z "$_want" ]; then
      aptmanual
      fine "$# packages at their latest version"
      return
    fi
    _r="upgradable: $_r"
  fi
  aptin "$_r"
}
m_aptrm() {
  _pu=$1 _rec=$2 _miss='' _act=remove _up=
  shift 2
  aptread "$@"
  for _p; do
    apthave "$\{_p%%[>=]*}"
    if [ -n "$_pu" ] && [ "$_st" = config-files ]; then _have=$_conf; fi
    case $_p in
    *=*)
      # shellcheck disable=SC2254
      case $_have in $\{_p#*=}) ;; *) continue ;; esac
      ;;
    esac
    if [ -n "$_have" ]; then _miss="$_miss $_p"; fi
  done
  if [ -z "$_miss" ]; then fine "none of $# packages installed"; return; fi
  [ -z "$_pu" ] || _act='remove --purge'
  if [ -n "$K" ]; then
    # shellcheck disable=SC2086
    $\{SIM-:} $_act $_rec $_miss || return 1
  fi
  if chg "installed:$_miss"; then
    # shellcheck disable=SC2086
    aptget $_act $_rec $_miss
  fi
}
m_aptlists() {
  if aptold "$1"; then
    if chg "package lists older than $1 s"; then
      _t=$_m
      aptup || return 1
      aptold 0
      # as Ansible counts it
      if [ "$_m" = "$_t" ]; then CH='' NCH=0 R_cache_updated=false; else R_cache_updated=true; fi
      fine 'the lists were new'
    else R_cache_updated=true; fi
  else
    R_cache_updated=false
    fine "package lists newer than $1 s"
  fi
  R_cache_update_time=$_m
  rm -f "$W/upd"
}
# aptwhen: R_cache_updated, R_cache_update_time
aptwhen() {
  case $BAD in *'nable to locate'*) return ;; esac
  aptold 0
  R_cache_updated=false R_cache_update_time=$_m
  [ ! -e "$W/upd" ] || R_cache_updated=true
  rm -f "$W/upd"
}
# aptold SECONDS: the package lists are at least so old, which is _m
aptold() {
  _m=0
  for _f in /var/lib/apt/periodic/update-success-stamp /var/lib/apt/lists; do
    if [ -e "$_f" ]; then _m=$(stat -c %Y "$_f"); break; fi
  done
  # An image made without lists has none, however new their folder is.
  for _f in /var/lib/apt/lists/*_*; do [ -e "$_f" ] || _m=0; break; done
  [ $(($(date +%s) - _m)) -ge "$1" ]
}
# aptread PACKAGE...: asks dpkg about all of them
aptread() {
  for _p; do
    shift
    set -- "$@" "$\{_p%%[>=]*}"
  done
  # shellcheck disable=SC2016
  dpkg-query -W -f '$\{Package} $\{Package}:$\{Architecture} $\{Version} $\{db:Status-Status}\n' "$@" >"$W/dpkg" 2>/dev/null
}
# apthave NAME: _have is the installed version, _st the state, _conf the version of configuration files that are left
apthave() {
  _have='' _st='' _conf=''
  while read -r _a _b _c _d; do
    if [ "$_a" = "$1" ] || [ "$_b" = "$1" ]; then
      _st=$_d _conf=$_c
      if [ "$_d" = installed ]; then _have=$_c; fi
    fi
  done <"$W/dpkg"
}
# aptmiss PACKAGE...: _miss are the names of those missing, _n their number, _want they as given, _there the others
aptmiss() {
  aptread "$@"
  _miss='' _want='' _there='' _n=0
  for _p; do
    _v=
    case $_p in *=*) _v=$\{_p#*=} ;; esac
    apthave "$\{_p%%[>=]*}"
    if [ -z "$_have" ] && [ -n "$\{UP-}" ]; then continue; fi
    if [ -z "$_v" ]; then
      if [ -n "$_have" ]; then _there="$_there $_p"; continue; fi
      if aptvirt "$_p"; then continue; fi
    elif $VB "$_p"; then continue
    fi
    _n=$((_n + 1)) _miss="$_miss $\{_p%%[>=]*}" _want="$_want $_p"
  done
}
# aptvirt NAME: an installed package provides it
aptvirt() {
  # shellcheck disable=SC2016,SC3013
  [ "$W/prov" -nt /var/lib/dpkg/status ] || dpkg-query -W -f '$\{db:Status-Status},$\{Provides}\n' | sed -n 's/^installed,/,/;s/ *([^)]*)//g;s/, */,/g;s/$/,/;/^,[^,]/p' >"$W/prov"
  grep -qF ",$1," "$W/prov"
}
# aptmanual: what is asked for by name is not removed as nobody's need; Ansible does not count it as a change
aptmanual() {
  # shellcheck disable=SC2086
  printf 'Package: %s\n' $_there | grep -qxFf - /var/lib/apt/extended_states 2>/dev/null || return 0
  # shellcheck disable=SC2086
  _mk=$(apt-mark showauto $_there 2>/dev/null | tr '\n' ' ')
  [ -n "$_mk" ] || return 0
  [ -z "$K" ] || emit u "$C"
  #apply
  # shellcheck disable=SC2086
  [ -n "$K" ] || try apt-mark manual $_mk
  #end
}
aptup() {
  _try=1 _del=1
  while ! aptrun update -o APT::Update::Error-Mode=any; do
    if grep -q 'Could not get lock' "$W/apt"; then sleep 5; fi
    if [ "$_try" -lt "$\{UR:-5}" ]; then
      sleep "$_del"
      _try=$((_try + 1)) _del=$((_del * 2))
      [ "$_del" -le "$\{UD:-12}" ] || _del=$\{UD:-12}
      continue
    fi
    aptbad 'Failed to update apt cache'
    return 1
  done
  : >"$W/upd"
}
aptrun() {
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l APT_LISTCHANGES_FRONTEND=none \
    $\{APT:-apt-get} -y -q -o DPkg::Lock::Timeout=300 \
    $\{DO:--o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold} \
    "$@" >"$W/apt" 2>"$W/ae" 3>&- 9>&-
}
# aptsim VERB...: what apt-get would do; false when it cannot
aptsim() {
  if ! aptrun -s -o Debug::NoLocking=1 "$@"; then
    # what an earlier task or newer lists bring is not here yet
    [ -z "$LATER$_up" ] || return 0
    aptbad "apt-get $1 failed"
    return 1
  fi
  aptout
}
aptget() {
  # a run that was cut off leaves packages unpacked and not configured
  if [ -n "$(dpkg --audit 2>/dev/null)" ]; then
    DEBIAN_FRONTEND=noninteractive dpkg --configure -a --force-confdef --force-confold >"$W/apt" 2>&1 3>&- 9>&-
  fi
  $\{PRE-} aptrun "$@" || { aptbad "apt-get $1 failed"; return 1; }
  aptout
}
# aptout: R_stdout, R_stderr and the diff
aptout() {
  R_stdout=$(cat "$W/apt"; echo .) R_stderr=$(cat "$W/ae"; echo .)
  R_stdout=$\{R_stdout%.} R_stderr=$\{R_stderr%.}
  if [ -n "$DIFF" ] && [ "$NODIFF" = 0 ]; then
    emit f "$C" =packages
    emit D "$C" "~$(sed '1,/^Reading state information/d;/^[0-9]* upgraded/q' "$W/apt" | base64 | tr -d '\n')"
  fi
}
aptbad() {
  _e=$(sed -n 's/^E: //p' "$W/ae" | head -n 2)
  cat "$W/ae" >>"$W/apt"
  OUT=$W/apt
  bad "$1$\{_e:+: $_e}"
}
`;
