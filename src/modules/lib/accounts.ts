import { sh } from "../sh.js";

/** m_group NAME STATE GID SYSTEM */
export const groupText = sh`
m_group() {
  _l=$(getent group "$1")
  if [ "$2" = absent ]; then
    if [ -z "$_l" ]; then fine 'not there'; elif chg 'is there'; then try groupdel "$1"; fi
    return
  fi
  if [ -z "$_l" ]; then
    if chg missing; then try groupadd $\{4:+-r} $\{3:+-g "$3"} "$1"; fi
    return
  fi
  fine exists
  _l=$\{_l#*:*:}
  if [ -n "$3" ] && [ "$\{_l%%:*}" != "$3" ] && chg "gid $\{_l%%:*} -> $3"; then try groupmod -g "$3" "$1"; fi
}
`;

/**
 * m_user NAME STATE UID GROUP GROUPS(comma) APPEND SHELL HOME CREATEHOME SYSTEM COMMENT REMOVE PASSWORD LOCK MOVEHOME;
 * an empty word leaves the thing alone; GROUPS `-` means none.
 */
export const userText = sh`
m_user() {
  _l=$(getent passwd "$1")
  if [ "$2" = absent ]; then
    if [ -z "$_l" ]; then fine 'not there'; elif chg 'is there'; then try userdel $\{12:+-r} "$1"; fi
    return
  fi
  _gs=$5
  [ "$_gs" != - ] || _gs=
  if [ -z "$_l" ]; then
    if chg missing; then
      _g=$4 _n=
      # Ansible: a group of the same name becomes the primary one
      if [ -z "$_g" ] && getent group "$1" >/dev/null; then _n=1; fi
      try useradd $\{10:+-r} $\{3:+-u "$3"} $\{_g:+-g "$_g"} $\{_n:+-N -g "$1"} $\{_gs:+-G "$_gs"} $\{7:+-s "$7"} \
        $\{8:+-d "$8"} $\{11:+-c "$\{11}"} $\{9:+-m} "$1" || return 1
      if [ -n "$\{13}" ]; then printf '%s:%s\n' "$1" "$\{13}" | chpasswd -e 2>"$W/m" || bad "$(tail -n 2 "$W/m")"; fi
    fi
    return
  fi
  fine exists
  printf '%s\n' "$_l" >"$W/pw"
  IFS=: read -r _x _x _uid _gid _com _home _shell <"$W/pw"
  if [ -n "$3" ] && [ "$3" != "$_uid" ] && chg "uid $_uid -> $3"; then try usermod -u "$3" "$1" || return 1; fi
  if [ -n "$4" ]; then
    _w=$(getent group "$4")
    _w=$\{_w#*:*:}
    if [ "$\{_w%%:*}" != "$_gid" ] && chg "group -> $4"; then try usermod -g "$4" "$1" || return 1; fi
  fi
  if [ -n "$7" ] && [ "$7" != "$_shell" ] && chg "shell $_shell -> $7"; then try usermod -s "$7" "$1" || return 1; fi
  if [ -n "$8" ] && [ "$8" != "$_home" ] && chg "home $_home -> $8"; then
    try usermod $\{15:+-m} -d "$8" "$1" || return 1
  fi
  if [ -n "$\{11}" ] && [ "$\{11}" != "$_com" ] && chg "comment -> $\{11}"; then try usermod -c "$\{11}" "$1" || return 1; fi
  if [ -n "$9" ] && [ ! -d "$\{8:-$_home}" ] && chg "home $\{8:-$_home} missing"; then
    _home=$\{8:-$_home}
    try cp -R /etc/skel "$_home" || return 1
    try chown -R "$1:" "$_home" || return 1
    try chmod 755 "$_home" || return 1
  fi
  if [ -n "$5" ]; then
    _have=" $(id -nG "$1") " _prim=$(id -ng "$1") _add='' _del=''
    for _g in $(printf %s "$_gs" | tr , ' '); do
      case $_have in *" $_g "*) ;; *) _add="$_add $_g" ;; esac
    done
    if [ -z "$6" ]; then
      for _g in $_have; do
        case ",$_gs," in *",$_g,"*) ;; *) [ "$_g" = "$_prim" ] || _del="$_del $_g" ;; esac
      done
    fi
    if [ -n "$_add$_del" ] && chg "groups$\{_add:+ added:$_add}$\{_del:+ removed:$_del}"; then
      try usermod $\{6:+-a} -G "$_gs" "$1" || return 1
    fi
  fi
  if [ -n "$\{13}" ] && [ -z "$\{16}" ] && [ "$UIDN" = 0 ]; then
    _w=$(getent shadow "$1")
    _w=$\{_w#*:}
    if [ "$\{_w%%:*}" != "$\{13}" ] && chg 'password differs'; then
      printf '%s:%s\n' "$1" "$\{13}" | chpasswd -e 2>"$W/m" || bad "$(tail -n 2 "$W/m")"
    fi
  fi
  if [ -n "$\{14}" ] && [ "$UIDN" = 0 ]; then
    _w=$(getent shadow "$1")
    case $\{_w#*:} in
    !* | \**) ;;
    *) if chg 'password not locked'; then try usermod -L "$1"; fi ;;
    esac
  fi
}
`;
