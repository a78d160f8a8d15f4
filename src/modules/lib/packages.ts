import { sh } from "../sh.js";

/**
 * m_apt STATE UPDATE VALIDTIME RECOMMENDS PURGE AUTOREMOVE PACKAGE...; a package may be `name=version`.
 * UPDATE 1 refreshes the lists when they are older than VALIDTIME seconds; with packages, only when one is missing.
 */
export const aptText = sh`
m_apt() {
  _st=$1 _up=$2 _vt=$3 _rec=$4 _pu=$5 _au=$6
  shift 6
  _names=
  for _p; do _names="$_names $\{_p%%=*}"; done
  _age=
  if [ -n "$_up" ]; then
    _m=0
    for _f in /var/lib/apt/periodic/update-success-stamp /var/lib/apt/lists; do
      if [ -e "$_f" ]; then _m=$(stat -c %Y "$_f"); break; fi
    done
    # An image made without lists has none, however new their folder is.
    for _f in /var/lib/apt/lists/*_*Release; do [ -e "$_f" ] || _m=0; break; done
    _age=$(($(date +%s) - _m))
    [ "$_age" -ge "$_vt" ] || _age=
  fi
  if [ $# = 0 ]; then
    if [ -z "$_up" ]; then fine 'nothing asked'; return; fi
    if [ -z "$_age" ]; then fine "package lists newer than $_vt s"; return; fi
    if chg "package lists older than $_vt s"; then aptup; fi
    return
  fi
  if [ "$_st" = latest ] && [ -n "$_age" ] && [ -z "$K" ]; then aptup || return 1; fi
  # shellcheck disable=SC2016,SC2086
  dpkg-query -W -f '$\{Package} $\{Package}:$\{Architecture} $\{Version} $\{db:Status-Status}\n' $_names >"$W/dpkg" 2>/dev/null
  _all=$# _miss='' _want=''
  for _p; do
    _n=$\{_p%%=*} _v=
    case $_p in *=*) _v=$\{_p#*=} ;; esac
    _have=
    while read -r _a _b _c _d; do
      if { [ "$_a" = "$_n" ] || [ "$_b" = "$_n" ]; } && [ "$_d" = installed ]; then _have=$_c; fi
    done <"$W/dpkg"
    if [ "$_st" = absent ]; then
      if [ -n "$_have" ]; then _miss="$_miss $_n"; fi
      continue
    fi
    # shellcheck disable=SC2254
    if [ -z "$_have" ]; then
      if [ -z "$_v" ] && aptvirt "$_n"; then continue; fi
      _miss="$_miss $_n" _want="$_want $_p"
    elif [ -n "$_v" ]; then
      case $_have in $_v) ;; *) _miss="$_miss $_n" _want="$_want $_p" ;; esac
    elif [ "$_st" = latest ]; then
      _want="$_want $_p"
    fi
  done
  if [ "$_st" = absent ]; then
    if [ -z "$_miss" ]; then fine "none of $_all packages installed"; return; fi
    _act=remove
    [ -z "$_pu" ] || _act=purge
    if chg "installed:$_miss"; then
      # shellcheck disable=SC2086
      aptget "$_act" $\{_au:+--auto-remove} $_miss
    fi
    return
  fi
  if [ -z "$_miss" ] && [ "$_st" = latest ]; then
    # shellcheck disable=SC2086
    _new=$(apt-get -s -q -o Debug::NoLocking=1 install $_want 2>/dev/null | sed -n 's/^Inst \([^ ]*\).*/\1/p' | tr '\n' ' ')
    if [ -z "$_new" ]; then fine "$_all packages at their latest version"; return; fi
    _r="upgradable: $_new"
  elif [ -z "$_miss" ]; then fine "$_all packages installed"; return
  else
    _n=0
    for _p in $_miss; do _n=$((_n + 1)); done
    _r="$_n of $_all packages missing:$_miss"
  fi
  if chg "$_r"; then
    if [ -n "$_age" ] && [ "$_st" != latest ]; then aptup || return 1; fi
    # shellcheck disable=SC2086
    aptget install $\{_rec:+"$_rec"} $_want
  fi
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
