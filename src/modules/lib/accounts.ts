import { sh } from "../sh.js";

/** m_group NAME STATE GID SYSTEM [-o]; grpres NAME STATE SYSTEM: its result. */
export const groupText = sh`
m_group() {
  _l=$(getent group "$1")
  if [ "$2" = absent ]; then
    if [ -z "$_l" ]; then fine 'not there'; elif chg 'is there'; then try groupdel "$1"; fi
    return
  fi
  if [ -z "$_l" ]; then
    if chg missing; then try groupadd $\{4:+-r} $\{3:+-g "$3"} $\{5:+-o} "$1"; fi
    return
  fi
  fine exists
  _l=$\{_l#*:*:}
  if [ -n "$3" ] && [ "$\{_l%%:*}" != "$3" ] && chg "gid $\{_l%%:*} -> $3"; then try groupmod -g "$3" $\{5:+-o} "$1"; fi
}
grpres() {
  unset R_name R_state R_gid R_system
  _l=$(getent group "$1")
  case $K:$2:$_l in 1:present: | 1:absent:?*) return ;; esac
  R_name=$1
  [ -z "$BAD" ] || return 0
  R_state=$2
  [ -n "$_l" ] || return 0
  _l=$\{_l#*:*:} R_system=$3
  R_gid=$\{_l%%:*}
}
`;

/**
 * m_user NAME UID GROUP GROUPS(comma) SHELL HOME CREATEHOME SYSTEM COMMENT MOVEHOME PASSWORD; an empty word leaves the
 * thing alone; GROUPS `-` means none; UX are more options of useradd, UO -o where a uid need not be unique.
 * Behind it, for a user who was there: m_groups NAME GROUPS APPEND, m_password NAME HASH, m_passlock NAME, m_passopen NAME, m_nocomment NAME,
 * m_expire NAME DAYS DATE; for every user: m_chage NAME MIN MAX, m_sshkey NAME FILE TYPE BITS COMMENT FORCE.
 * m_userrm NAME REMOVE FORCE: absent. userres NAME STATE WORDS...: its result.
 */
export const userText = sh`
m_userrm() {
  _ent=$(getent passwd "$1")
  if [ -n "$_ent" ]; then
    if chg 'is there'; then try userdel $\{3:+-f} $\{2:+-r} "$1"; fi
  else fine 'not there'; fi
}
m_user() {
  _ent=$(getent passwd "$1")
  _gs=$4
  [ "$_gs" != - ] || _gs=
  if [ -z "$_ent" ]; then
    if chg missing; then
      _n='' _m=-M _hp=
      # useradd makes a group of the user's name unless there is one
      if [ -z "$3" ] && getent group "$1" >/dev/null; then _n=1; fi
      if [ -n "$7" ]; then
        _m=-m _d=$\{6%/*}
        if [ -n "$6" ] && [ ! -d "$\{_d:-/}" ]; then
          homedir "$6" || return 1
          _hp=1
        fi
      fi
      # shellcheck disable=SC2086
      try useradd $\{8:+-r} $\{2:+-u "$2"} $\{UO-} $\{3:+-g "$3"} $\{_n:+-N} $\{_gs:+-G "$_gs"} $\{5:+-s "$5"} \
        $\{6:+-d "$6"} $\{9:+-c "$\{9}"} $_m $\{UX-} "$1" || return 1
      if [ -n "$\{11}" ]; then printf '%s:%s\n' "$1" "$\{11}" | chpasswd -e 2>"$W/m" || bad "$(tail -n 2 "$W/m")"; fi
      [ -z "$_hp" ] || try chown -R "$1:" "$6"
    fi
    return
  fi
  fine exists
  printf '%s\n' "$_ent" >"$W/pw"
  IFS=: read -r _x _x _uid _gid _com _home _shell <"$W/pw"
  if [ -n "$2" ] && [ "$2" != "$_uid" ] && chg "uid $_uid -> $2"; then
    # shellcheck disable=SC2086
    try usermod -u "$2" $\{UO-} "$1" || return 1
  fi
  if [ -n "$3" ]; then
    _w=$(getent group -- "$3") || nogroup "$3" || return 1
    _w=$\{_w#*:*:}
    if [ "$\{_w%%:*}" != "$_gid" ] && chg "group -> $3"; then try usermod -g "$3" "$1" || return 1; fi
  fi
  if [ -n "$5" ] && [ "$5" != "$_shell" ] && chg "shell $_shell -> $5"; then try usermod -s "$5" "$1" || return 1; fi
  if [ -n "$6" ] && [ "$6" != "$_home" ] && chg "home $_home -> $6"; then
    try usermod $\{10:+-m} -d "$6" "$1" || return 1
  fi
  if [ -n "$\{9}" ] && [ "$\{9}" != "$_com" ] && chg "comment -> $\{9}"; then try usermod -c "$\{9}" "$1" || return 1; fi
  if [ -n "$7" ] && [ ! -e "$\{6:-$_home}" ] && chg "home $\{6:-$_home} missing"; then
    _home=$\{6:-$_home}
    homedir "$_home" || return 1
    try chown -R "$1:" "$_home" || return 1
  fi
}
# nogroup GROUP: there is none, unless an earlier task would have made it
nogroup() {
  [ -z "$LATER" ] || return 0
  bad "Group $1 does not exist"
}
# homedir PATH: as useradd makes it, with its parents
homedir() {
  #apply
  _d=$\{1%/*}
  try mkdir -p "$\{_d:-/}" || return 1
  if [ -d /etc/skel ]; then try cp -R /etc/skel "$1" || return 1; else try mkdir -p "$1" || return 1; fi
  _w=$(sed -n 's/^UMASK[[:space:]]*\([0-7]*\)$/\1/p' /etc/login.defs)
  [ -z "$_w" ] || try chmod "$(printf %o $((0777 & ~0$_w)))" "$1"
  #end
}
# going: the user was there, and nothing has failed
going() { [ -n "$_ent" ] && [ -z "$BAD" ]; }
m_groups() {
  going || return 0
  _gs=$2 _have=' ' _add='' _del=''
  [ "$_gs" != - ] || _gs=
  getent group >"$W/gr"
  while IFS=: read -r _g _w _x _l; do
    case ",$_l," in *",$1,"*) _have="$_have$_g " ;; esac
    # a group may be given by its number, too
    case ",$_gs," in *",$_x,"*) _gs=$(printf %s ",$_gs," | sed "s/,$_x,/,$_g,/;s/^,//;s/,$//") ;; esac
  done <"$W/gr"
  for _g in $(printf %s "$_gs" | tr , ' '); do
    case $_have in
    *" $_g "*) ;;
    *)
      grep -q "^$_g:" "$W/gr" || nogroup "$_g" || return 1
      _add="$_add $_g"
      ;;
    esac
  done
  if [ -z "$3" ]; then
    for _g in $_have; do
      case ",$_gs," in *",$_g,"*) ;; *) _del="$_del $_g" ;; esac
    done
  fi
  if [ -n "$_add$_del" ] && chg "groups$\{_add:+ added:$_add}$\{_del:+ removed:$_del}"; then
    try usermod $\{3:+-a} -G "$_gs" "$1"
  fi
}
# shadow NAME N: _w is its Nth field
shadow() { _w=$(getent shadow "$1" | cut -d: -f"$2"); }
m_password() {
  if ! going || [ "$UIDN" != 0 ]; then return 0; fi
  shadow "$1" 2
  if [ "$\{_w#"$\{_w%%[!!]*}"}" != "$\{2#"$\{2%%[!!]*}"}" ] && chg 'password differs'; then
    printf '%s:%s\n' "$1" "$2" | chpasswd -e 2>"$W/m" || bad "$(tail -n 2 "$W/m")"
  fi
}
m_passlock() {
  if ! going || [ "$UIDN" != 0 ]; then return 0; fi
  shadow "$1" 2
  case $_w in
  !*) ;;
  *) if chg 'password not locked'; then try usermod -L "$1"; fi ;;
  esac
}
m_passopen() {
  if ! going || [ "$UIDN" != 0 ]; then return 0; fi
  shadow "$1" 2
  case $_w in !*) if chg 'password locked'; then try usermod -U "$1"; fi ;; esac
}
m_nocomment() {
  going || return 0
  if [ -n "$_com" ] && chg "comment $_com -> none"; then try usermod -c '' "$1"; fi
}
m_expire() {
  going || return 0
  shadow "$1" 8
  if [ "$\{_w:--1}" != "$2" ] && chg "expires on day $\{_w:-none} -> $\{3:-never}"; then try usermod -e "$3" "$1"; fi
}
m_chage() {
  if [ -n "$BAD" ] || { [ -z "$_ent" ] && [ -n "$K" ]; }; then return 0; fi
  shadow "$1" 4,5
  if [ -n "$2" ] && [ "$2" != "$\{_w%%:*}" ] && chg "least days of a password -> $2"; then try chage -m "$2" "$1" || return 1; fi
  if [ -n "$3" ] && [ "$3" != "$\{_w#*:}" ] && chg "most days of a password -> $3"; then try chage -M "$3" "$1"; fi
}
m_sshkey() {
  unset R_ssh_fingerprint R_ssh_key_file R_ssh_public_key
  if [ -n "$BAD" ] || { [ -z "$_ent" ] && [ -n "$K" ]; }; then return 0; fi
  getent passwd "$1" >"$W/pw"
  IFS=: read -r _x _x _uid _gid _com _home _shell <"$W/pw"
  _k=$2
  case $_k in /*) ;; *) _k=$_home/$_k ;; esac
  if { [ -e "$_k" ] || [ -e "$_k.pub" ]; } && [ -z "$6" ]; then fine 'key exists'
  elif chg "no key $_k"; then
    _d=$\{_k%/*}
    if [ ! -e "$_d" ]; then
      try mkdir -m 700 "$_d" || return 1
      try chown "$_uid:$_gid" "$_d" || return 1
    fi
    rm -f "$_k" "$_k.pub"
    _x=$5
    [ -n "$_x" ] || _x="ansible-generated on $(uname -n)"
    try ssh-keygen -q -t "$3" $\{4:+-b "$4"} -C "$_x" -f "$_k" -N '' || return 1
    try chown "$_uid:$_gid" "$_k" "$_k.pub" || return 1
  fi
  R_ssh_key_file=$_k R_ssh_fingerprint=
  if [ -e "$_k" ]; then R_ssh_fingerprint=$(ssh-keygen -l -f "$_k" 2>/dev/null); fi
  if [ -e "$_k.pub" ]; then R_ssh_public_key=$(cat "$_k.pub"); fi
}
# userres NAME STATE SYSTEM CREATEHOME APPEND MOVEHOME PASSWORD GROUPS REMOVE FORCE [KEY]
userres() {
  unset R_name R_state R_uid R_group R_comment R_home R_shell R_groups R_system R_create_home R_append R_move_home R_password R_remove R_force
  [ -n "$\{11-}" ] || unset R_ssh_fingerprint R_ssh_key_file R_ssh_public_key
  case $K:$2:$_ent in 1:present: | 1:absent:?*) return ;; esac
  R_name=$1
  [ -z "$BAD" ] || return 0
  R_state=$2
  if [ "$2" = absent ]; then
    [ -z "$_ent" ] || R_remove=$9 R_force=$\{10}
    return
  fi
  if [ -z "$_ent" ]; then R_system=$3 R_create_home=$4; else R_append=$5 R_move_home=$6; fi
  [ -z "$7" ] || R_password=NOT_LOGGING_PASSWORD
  [ -z "$8" ] || R_groups=$\{8#-}
  getent passwd "$1" >"$W/pw"
  IFS=: read -r _x _x R_uid R_group R_comment R_home R_shell <"$W/pw"
}
`;
