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
 * m_user NAME UID GROUP GROUPS(comma) SHELL HOME CREATEHOME SYSTEM COMMENT MOVEHOME PASSWORD; an empty word leaves the
 * thing alone; GROUPS `-` means none. Behind it, for a user who was there: m_groups NAME GROUPS APPEND,
 * m_password NAME HASH, m_passlock NAME. m_userrm NAME REMOVE: absent.
 */
export const userText = sh`
m_userrm() {
  if getent passwd "$1" >/dev/null; then
    if chg 'is there'; then try userdel $\{2:+-r} "$1"; fi
  else fine 'not there'; fi
}
m_user() {
  _ent=$(getent passwd "$1")
  _gs=$4
  [ "$_gs" != - ] || _gs=
  if [ -z "$_ent" ]; then
    if chg missing; then
      _g=$3 _n=
      # Ansible: a group of the same name becomes the primary one
      if [ -z "$_g" ] && getent group "$1" >/dev/null; then _n=1; fi
      try useradd $\{8:+-r} $\{2:+-u "$2"} $\{_g:+-g "$_g"} $\{_n:+-N -g "$1"} $\{_gs:+-G "$_gs"} $\{5:+-s "$5"} \
        $\{6:+-d "$6"} $\{9:+-c "$\{9}"} $\{7:+-m} "$1" || return 1
      if [ -n "$\{11}" ]; then printf '%s:%s\n' "$1" "$\{11}" | chpasswd -e 2>"$W/m" || bad "$(tail -n 2 "$W/m")"; fi
    fi
    return
  fi
  fine exists
  printf '%s\n' "$_ent" >"$W/pw"
  IFS=: read -r _x _x _uid _gid _com _home _shell <"$W/pw"
  if [ -n "$2" ] && [ "$2" != "$_uid" ] && chg "uid $_uid -> $2"; then try usermod -u "$2" "$1" || return 1; fi
  if [ -n "$3" ]; then
    _w=$(getent group "$3")
    _w=$\{_w#*:*:}
    if [ "$\{_w%%:*}" != "$_gid" ] && chg "group -> $3"; then try usermod -g "$3" "$1" || return 1; fi
  fi
  if [ -n "$5" ] && [ "$5" != "$_shell" ] && chg "shell $_shell -> $5"; then try usermod -s "$5" "$1" || return 1; fi
  if [ -n "$6" ] && [ "$6" != "$_home" ] && chg "home $_home -> $6"; then
    try usermod $\{10:+-m} -d "$6" "$1" || return 1
  fi
  if [ -n "$\{9}" ] && [ "$\{9}" != "$_com" ] && chg "comment -> $\{9}"; then try usermod -c "$\{9}" "$1" || return 1; fi
  if [ -n "$7" ] && [ ! -d "$\{6:-$_home}" ] && chg "home $\{6:-$_home} missing"; then
    _home=$\{6:-$_home}
    try cp -R /etc/skel "$_home" || return 1
    try chown -R "$1:" "$_home" || return 1
    try chmod 755 "$_home" || return 1
  fi
}
# going: the user was there, and nothing has failed
going() { [ -n "$_ent" ] && [ -z "$BAD" ]; }
m_groups() {
  going || return 0
  _gs=$2
  [ "$_gs" != - ] || _gs=
  _have=" $(id -nG "$1") " _prim=$(id -ng "$1") _add='' _del=''
  for _g in $(printf %s "$_gs" | tr , ' '); do
    case $_have in *" $_g "*) ;; *) _add="$_add $_g" ;; esac
  done
  if [ -z "$3" ]; then
    for _g in $_have; do
      case ",$_gs," in *",$_g,"*) ;; *) [ "$_g" = "$_prim" ] || _del="$_del $_g" ;; esac
    done
  fi
  if [ -n "$_add$_del" ] && chg "groups$\{_add:+ added:$_add}$\{_del:+ removed:$_del}"; then
    try usermod $\{3:+-a} -G "$_gs" "$1"
  fi
}
m_password() {
  if ! going || [ "$UIDN" != 0 ]; then return 0; fi
  _w=$(getent shadow "$1")
  _w=$\{_w#*:}
  if [ "$\{_w%%:*}" != "$2" ] && chg 'password differs'; then
    printf '%s:%s\n' "$1" "$2" | chpasswd -e 2>"$W/m" || bad "$(tail -n 2 "$W/m")"
  fi
}
m_passlock() {
  if ! going || [ "$UIDN" != 0 ]; then return 0; fi
  _w=$(getent shadow "$1")
  case $\{_w#*:} in
  !* | \**) ;;
  *) if chg 'password not locked'; then try usermod -L "$1"; fi ;;
  esac
}
`;
