import { sh } from "../sh.js";

/**
 * What apt does besides installing and removing by name; needs the apt library, whose variables it takes, too.
 * m_aptupg MODE UPDATE VALIDTIME OPTIONS AUTO: upgrades all, with aptitude where it is there unless AG is set; AUTO is an option
 * of apt-get's alone. m_aptclean VERB OPTIONS: autoremove, autoclean. m_aptwipe: clean. m_aptdep OPTIONS PACKAGE...: build-dep.
 * m_aptdeb OPTIONS FILE...: packages that are files, or addresses of them.
 * aptglob REGEX PATTERN: puts the names that match into GL; m_aptg CALL...: with those names behind it.
 * rcd STATUS COMMAND...: what starts services is told so meanwhile.
 */
export const aptMoreText = sh`
m_aptupg() {
  #apply
  if [ -z "$K" ] && [ -n "$2" ] && aptold "$3"; then aptup || return 1; fi
  #end
  _x="upgrade --with-new-pkgs $5"
  case $1 in dist | full) _x="dist-upgrade $5" ;; esac
  if [ "$1" != dist ] && [ -z "$\{AG-}" ] && command -v aptitude >/dev/null 2>&1; then
    APT=aptitude _x=safe-upgrade
    [ "$1" != full ] || _x=full-upgrade
  fi
  # shellcheck disable=SC2086
  if aptdo 'nothing to upgrade' "to upgrade" $_x $4; then R_msg=$R_stdout; fi
  APT=
}
# aptdo FINE REASON VERB...: as far as a simulation finds something to do
aptdo() {
  _f=$1 _r=$2 _up=
  shift 2
  DF=$DIFF DIFF=
  aptsim "$@" || { DIFF=$DF; return 1; }
  DIFF=$DF
  case $_r in
  'to upgrade') if grep -Eq '^0 (packages )?upgraded, 0 newly installed, 0 to remove' "$W/apt"; then _r=; fi ;;
  *) grep -q "$_r" "$W/apt" || _r= ;;
  esac
  if [ -z "$_r" ]; then fine "$_f"; return; fi
  if chg "$(sed -n 's/^Inst \([^ ]*\).*/\1/p;s/^Remv \([^ ]*\).*/\1/p;s/^Del \([^ ]*\).*/\1/p' "$W/apt" | tr '\n' ' ')"; then aptget "$@"
  else aptout; fi
}
m_aptclean() {
  _r='^The following packages will be REMOVED'
  [ "$1" = autoremove ] || _r='^Del '
  # shellcheck disable=SC2086
  aptdo "nothing to $1" "$_r" "$1" $2
}
m_aptwipe() {
  # as Ansible counts it, no change
  [ -z "$K" ] || emit u "$C"
  #apply
  [ -n "$K" ] || try apt-get clean
  #end
  fine 'package files removed'
}
m_aptdep() {
  _rec=$1
  shift
  # shellcheck disable=SC2086
  aptdo 'all there' 'to upgrade' build-dep $_rec "$@"
}
m_aptdeb() {
  _rec=$1 _want='' _dep='' _i=0 _up=
  shift
  for _deb; do
    case $_deb in
    *://*)
      _i=$((_i + 1))
      try /usr/lib/apt/apt-helper download-file "$_deb" "$W/$_i.deb" || return 1
      _deb=$W/$_i.deb
      ;;
    esac
    if [ ! -f "$_deb" ] && awaited; then chg "$_deb not there yet"; continue; fi
    # shellcheck disable=SC2016
    if ! _nv=$(dpkg-deb -W --showformat='$\{Package} $\{Version}' "$_deb" 2>"$W/m"); then
      bad "Unable to install package: $(tail -n 1 "$W/m")"
      return 1
    fi
    aptread "$\{_nv% *}"
    apthave "$\{_nv% *}"
    if [ "$_have" = "$\{_nv#* }" ]; then continue; fi
    _want="$_want $_deb"
    # shellcheck disable=SC2016
    for _q in $(dpkg-deb -W --showformat='$\{Depends},$\{Pre-Depends}' "$_deb" | sed 's/([^)]*)//g;s/:[a-z]*//g' | tr ',|' '  '); do
      aptread "$_q"
      apthave "$_q"
      [ -n "$_have" ] || _dep="$_dep $_q"
    done
  done
  if [ -z "$_want" ]; then fine "$# packages installed"; return; fi
  if [ -n "$K" ]; then
    # shellcheck disable=SC2086
    aptsim install $_rec $_want || return 1
  fi
  if chg "to install:$_want"; then
    # shellcheck disable=SC2086
    aptget install $_rec $_want || return 1
    # what a package needs directly is asked for, too, as Ansible does it
    # shellcheck disable=SC2086
    [ -z "$_dep" ] || apt-mark manual $_dep >/dev/null 2>&1
    return 0
  fi
}
# aptver NAME=PATTERN: the installed version, _have, matches _v, and is the newest that does. aptver NAME>=VERSION: it is at least
# _v; or else _p is the package with the version that apt would install
aptver() {
  case $1 in
  *\>=*)
    if [ -n "$_have" ] && dpkg --compare-versions "$_have" ge "$_v"; then return 0; fi
    _b=$(apt-cache policy "$\{1%%>=*}" | sed -n 's/^ *Candidate: //p')
    if dpkg --compare-versions "$\{_b:-0}" ge "$_v"; then _v=$_b; fi
    _p=$\{1%%>=*}=$_v
    return 1
    ;;
  esac
  # shellcheck disable=SC2254
  case $_have in $_v) ;; *) return 1 ;; esac
  case $_v in *[*?]*) ;; *) return 0 ;; esac
  # shellcheck disable=SC2254
  _b=$(apt-cache madison "$\{1%%=*}" | while IFS=' |' read -r _x _y _z; do
    case $_y in $_v) printf %s "$_y"; break ;; esac
  done)
  [ -z "$_b" ] || [ "$_b" = "$_have" ]
}
GL=
aptglob() {
  _g=$(apt-cache pkgnames 2>/dev/null | grep -Ex -e "$1" | tr '\n' ' ')
  if [ -z "$_g" ]; then bad "No package(s) matching '$2' available"; return 1; fi
  GL="$GL $_g"
}
m_aptg() {
  # shellcheck disable=SC2086
  "$@" $GL
  GL=
}
rcd() {
  _rc=$1 _po=/usr/sbin/policy-rc.d
  shift
  if [ -e "$_po" ]; then mv "$_po" "$_po.edge-setup" || return 1; fi
  printf '#!/bin/sh\nexit %d\n' "$_rc" >"$_po"
  chmod 755 "$_po"
  "$@"
  _x=$?
  if [ -e "$_po.edge-setup" ]; then mv "$_po.edge-setup" "$_po"; else rm -f "$_po"; fi
  return "$_x"
}
`;
