import { sh } from "../sh.js";

/**
 * m_apt UPDATE VALIDTIME RECOMMENDS PACKAGE...: present; m_aptnew likewise: at the latest version;
 * m_aptrm PURGE AUTOREMOVE PACKAGE...: absent; m_aptlists VALIDTIME: the lists alone. A package may be `name=version`.
 * UPDATE 1 refreshes the lists when they are older than VALIDTIME seconds; m_apt only when a package is missing.
 */
export const aptText = sh`
m_apt() {
  _up=$1 _vt=$2 _rec=$3
  shift 3
  aptmiss "$@"
  if [ -z "$_miss" ]; then fine "$# packages installed"; return; fi
  if chg "$_n of $# packages missing:$_miss"; then
    if [ -n "$_up" ] && aptold "$_vt"; then aptup || return 1; fi
    # shellcheck disable=SC2086
    aptget install $\{_rec:+"$_rec"} $_want
  fi
}
m_aptnew() {
  _up=$1 _vt=$2 _rec=$3
  shift 3
  #apply
  if [ -z "$K" ] && [ -n "$_up" ] && aptold "$_vt"; then aptup || return 1; fi
  #end
  aptmiss "$@"
  _want=$_want$_there _r="$_n of $# packages missing:$_miss"
  if [ -z "$_miss" ]; then
    # shellcheck disable=SC2086
    _r=$(apt-get -s -q -o Debug::NoLocking=1 install $_want 2>/dev/null | sed -n 's/^Inst \([^ ]*\).*/\1/p' | tr '\n' ' ')
    if [ -z "$_r" ]; then fine "$# packages at their latest version"; return; fi
    _r="upgradable: $_r"
  fi
  if chg "$_r"; then
    # shellcheck disable=SC2086
    aptget install $\{_rec:+"$_rec"} $_want
  fi
}
m_aptrm() {
  _pu=$1 _au=$2 _miss=
  shift 2
  aptread "$@"
  for _p; do
    apthave "$\{_p%%=*}"
    if [ -n "$_have" ]; then _miss="$_miss $\{_p%%=*}"; fi
  done
  if [ -z "$_miss" ]; then fine "none of $# packages installed"; return; fi
  if chg "installed:$_miss"; then
    _act=remove
    [ -z "$_pu" ] || _act=purge
    # shellcheck disable=SC2086
    aptget "$_act" $\{_au:+--auto-remove} $_miss
  fi
}
m_aptlists() {
  if aptold "$1"; then
    if chg "package lists older than $1 s"; then aptup; fi
  else fine "package lists newer than $1 s"; fi
}
# aptold SECONDS: the package lists are at least so old
aptold() {
  _m=0
  for _f in /var/lib/apt/periodic/update-success-stamp /var/lib/apt/lists; do
    if [ -e "$_f" ]; then _m=$(stat -c %Y "$_f"); break; fi
  done
  # An image made without lists has none, however new their folder is.
  for _f in /var/lib/apt/lists/*_*Release; do [ -e "$_f" ] || _m=0; break; done
  [ $(($(date +%s) - _m)) -ge "$1" ]
}
# aptread PACKAGE...: asks dpkg about all of them
aptread() {
  for _p; do
    shift
    set -- "$@" "$\{_p%%=*}"
  done
  # shellcheck disable=SC2016
  dpkg-query -W -f '$\{Package} $\{Package}:$\{Architecture} $\{Version} $\{db:Status-Status}\n' "$@" >"$W/dpkg" 2>/dev/null
}
# apthave NAME: _have is the installed version
apthave() {
  _have=
  while read -r _a _b _c _d; do
    if { [ "$_a" = "$1" ] || [ "$_b" = "$1" ]; } && [ "$_d" = installed ]; then _have=$_c; fi
  done <"$W/dpkg"
}
# aptmiss PACKAGE...: _miss are the names of those missing, _n their number, _want they as given, _there the others
aptmiss() {
  aptread "$@"
  _miss='' _want='' _there='' _n=0
  for _p; do
    _v=
    case $_p in *=*) _v=$\{_p#*=} ;; esac
    apthave "$\{_p%%=*}"
    if [ -z "$_v" ]; then
      if [ -n "$_have" ]; then _there="$_there $_p"; continue; fi
      if aptvirt "$_p"; then continue; fi
    elif [ -n "$_have" ]; then
      # shellcheck disable=SC2254
      case $_have in $_v) continue ;; esac
    fi
    _n=$((_n + 1)) _miss="$_miss $\{_p%%=*}" _want="$_want $_p"
  done
}
# aptvirt NAME: an installed package provides it
aptvirt() {
  # shellcheck disable=SC2016
  [ -s "$W/prov" ] || dpkg-query -W -f '$\{db:Status-Status},$\{Provides}\n' | sed -n 's/^installed,/,/;s/ *([^)]*)//g;s/, */,/g;s/$/,/;/^,[^,]/p' >"$W/prov"
  grep -qF ",$1," "$W/prov"
}
aptup() {
  _try=0
  while ! aptrun update -o APT::Update::Error-Mode=any; do
    _try=$((_try + 1))
    if [ "$_try" -lt 60 ] && grep -q 'Could not get lock' "$W/apt"; then sleep 5; continue; fi
    aptbad 'apt-get update failed'
    return 1
  done
}
aptrun() {
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l APT_LISTCHANGES_FRONTEND=none \
    apt-get -y -q -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    -o Dpkg::Use-Pty=0 "$@" >"$W/apt" 2>&1 3>&- 9>&-
}
aptget() {
  rm -f "$W/prov"
  # a run that was cut off leaves packages unpacked and not configured
  if [ -n "$(dpkg --audit 2>/dev/null)" ]; then
    DEBIAN_FRONTEND=noninteractive dpkg --configure -a --force-confdef --force-confold >"$W/apt" 2>&1 3>&- 9>&-
  fi
  aptrun "$@" || aptbad "apt-get $1 failed"
}
aptbad() {
  OUT=$W/apt
  _e=$(grep '^E: ' "$W/apt" | head -n 2 | cut -c4-)
  bad "$1$\{_e:+: $_e}"
}
`;
