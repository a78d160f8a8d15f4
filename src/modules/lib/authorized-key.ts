import { sh } from "../sh.js";

/**
 * m_authkey USER PATH MANAGEDIR STATE EXCLUSIVE FOLLOW KEY...: each KEY is a line as it is to be, and AKT are the types of keys.
 * As Ansible writes the file, each of its keys is written anew, and once. Needs the put library.
 */
export const authorizedKeyText = sh`
# aksplit LINE: _id is the key of a line, or the line itself; _ln the line as it is written
aksplit() {
  _id=$1 _ln=$1 _op='' _ty='' _x=$1
  set -f
  # shellcheck disable=SC2086
  set -- $1
  set +f
  [ "$\{1-}" != '#' ] || return 0
  while [ $# -gt 1 ]; do
    case " $AKT " in *" $1 "*) _ty=$1; break ;; esac
    _op="$_op$\{_op:+ }$1"
    shift
  done
  [ -n "$_ty" ] || return 0
  _id=$2
  shift 2
  _ln="$_op$\{_op:+ }$_ty $_id $*"
}
# akstate PATH: of a result; needs the pathinfo library
akstate() {
  pinfo "$1"
  R_state=$\{R_state:-absent}
}
# akwithout KEY: W/ak without it; W/ak holds a key and a line by turns
akwithout() {
  while IFS= read -r _a && IFS= read -r _b; do
    [ "$_a" = "$1" ] || printf '%s\n' "$_a" "$_b"
  done <"$W/ak" >"$W/ak2"
  mv "$W/ak2" "$W/ak"
}
m_authkey() {
  unset R_keyfile
  _uid='' _gid='' _home=
  if getent passwd "$1" >"$W/pw"; then IFS=: read -r _x _x _uid _gid _x _home _x <"$W/pw"
  elif awaited; then chg 'user not there yet'; return
  elif [ -z "$K" ] || [ -z "$2" ]; then bad "Failed to lookup user $1"; return 1; fi
  d=$\{2:-$_home/.ssh/authorized_keys} _man=$3 _sta=$4 _exc=$5
  R_keyfile=$d
  if [ -n "$6" ] && [ -e "$d" ]; then d=$(readlink -f "$d"); fi
  shift 6
  fst "$d"
  : >"$W/ak"
  _ids=$NL _w=
  if [ "$FT" = f ] || [ "$FT" = l ]; then
    while IFS= read -r _l || [ -n "$_l" ]; do
      aksplit "$_l"
      case $_ids in *"$NL$_id$NL"*) akwithout "$_id" ;; esac
      _ids=$_ids$_id$NL
      printf '%s\n' "$_id" "$_ln" >>"$W/ak"
    done <"$d"
  fi
  _new=$NL
  for _k; do
    aksplit "$_k"
    _new=$_new$_id$NL _want=$_ln
    case $_ids in *"$NL$_id$NL"*) _old=1 ;; *) _old= ;; esac
    if [ "$_sta" = present ]; then
      if [ -n "$_old" ] && grep -qxF -e "$_want" "$W/ak"; then continue; fi
      [ -z "$_old" ] || akwithout "$_id"
      printf '%s\n' "$_id" "$_want" >>"$W/ak"
      _ids=$_ids$_id$NL _w="$\{_w:+$_w, }key$\{_old:+ differs}"
    elif [ -n "$_old" ]; then
      akwithout "$_id"
      _w="$\{_w:+$_w, }key"
    fi
  done
  : >"$W/akf"
  while IFS= read -r _a && IFS= read -r _b; do
    case $_exc:$_new in
    1:*"$NL$_a$NL"* | :*) printf '%s\n' "$_b" >>"$W/akf" ;;
    *) _w="$\{_w:+$_w, }others" ;;
    esac
  done <"$W/ak"
  if [ -z "$_w" ]; then fine 'as wanted'; return; fi
  if [ -n "$DIFF" ] && [ "$NODIFF" = 0 ]; then
    emit f "$C" "=$d"
    if [ "$FT" = f ]; then olddiff "$d"; fi
    emit D "$C" "~$(base64 <"$W/akf" | tr -d '\n')"
  fi
  if chg "$_w"; then
    _b=$\{d%/*}
    if [ -n "$_man" ]; then
      if [ ! -e "$_b" ]; then try mkdir -m 700 "$_b" || return 1; fi
      try chown "$_uid:$_gid" "$_b" && try chmod 700 "$_b" || return 1
    elif [ ! -e "$_b" ]; then try mkdir -p "$_b" || return 1; fi
    put "$W/akf" "$d" "$_uid" "$_gid" 600
  fi
}
`;

/**
 * m_aptrepo LINE STATE FILE MODE UPDATE: a line of apt's sources; FILE is where a new one goes. As Ansible does it, all files are
 * written anew when one changes. Needs the put and apt libraries.
 */
export const aptRepositoryText = sh`
# aptline LINE: _src is the line's content, _va whether it is a source, _en whether it counts, _ln the line as it is written
aptline() {
  trim "$1"
  _src=$F_ _en=1 _co=
  case $_src in '#'*) _en='' _src=$\{_src#?} ;; esac
  case $_src in ?*'#'*)
    trim "$\{_src#?*#}"
    _co=$F_ _src=$\{_src%%"#$\{_src#?*#}"}
    ;;
  esac
  trim "$_src"
  _src=$F_ _va=
  case $_src in
  'deb '* | 'deb-src '* | 'deb	'* | 'deb-src	'*)
    _va=1
    set -f
    # shellcheck disable=SC2086
    set -- $_src
    set +f
    _src=$*
    ;;
  esac
  [ -n "$_en" ] || _src="# $_src"
  _ln="$_src$\{_co:+ # $_co}"
  _src=$\{_src#\# }
}
m_aptrepo() {
  rm -rf "$W/lists"
  mkdir "$W/lists"
  _hit='' _n=0 _w='' _in=
  for _f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$_f" ] || continue
    _n=$((_n + 1)) _d=
    [ "$_f" != "$3" ] || _in=$_n
    : >"$W/lists/$_n"
    while IFS= read -r _l || [ -n "$_l" ]; do
      aptline "$_l"
      if [ -n "$_va" ] && [ "$_src" = "$1" ]; then
        if [ "$2" = absent ]; then
          if [ -n "$_en" ]; then
            _w=1 _d=1
            continue
          fi
        else
          _hit=1
          if [ -z "$_en" ]; then _w=1 _d=1 _ln=$_src$\{_co:+ # $_co}; fi
        fi
      fi
      printf '%s\n' "$_ln" >>"$W/lists/$_n"
    done <"$_f"
    printf '%s\n' "$_f" >"$W/lists/$_n.path"
    [ -z "$_d" ] || aptrepodiff "$_f" "$W/lists/$_n"
  done
  if [ "$2" = present ] && [ -z "$_hit" ]; then
    _w=1
    if [ -z "$_in" ]; then
      _n=$((_n + 1)) _in=$_n
      : >"$W/lists/$_in"
      printf '%s\n' "$3" >"$W/lists/$_in.path"
    fi
    printf '%s\n' "$1" >>"$W/lists/$_in"
    : >"$W/lists/$_in.new"
    aptrepodiff "$3" "$W/lists/$_in"
  fi
  if [ -z "$_w" ]; then fine "$2"; return; fi
  chg "$2" || return 0
  _i=0
  while [ "$_i" -lt "$_n" ]; do
    _i=$((_i + 1))
    IFS= read -r _f <"$W/lists/$_i.path"
    fst "$_f"
    if [ ! -s "$W/lists/$_i" ]; then rm -f "$_f"; continue; fi
    if [ "$FT" = f ] && cmp -s "$W/lists/$_i" "$_f"; then continue; fi
    [ "$FT" = - ] || cp -p "$_f" "$W/lists/$_i.old"
    _mo=
    if [ -e "$W/lists/$_i.new" ]; then _mo=$4; fi
    put "$W/lists/$_i" "$_f" '' '' "$_mo" || return 1
  done
  if [ -n "$5" ] && ! aptup; then
    # a line that does not work must not stay
    _i=0
    while [ "$_i" -lt "$_n" ]; do
      _i=$((_i + 1))
      IFS= read -r _f <"$W/lists/$_i.path"
      if [ -e "$W/lists/$_i.old" ]; then cp -p "$W/lists/$_i.old" "$_f"
      elif [ -e "$W/lists/$_i.new" ]; then rm -f "$_f"; fi
    done
  fi
}
# aptrepodiff PATH FILE
aptrepodiff() {
  [ -n "$DIFF" ] && [ "$NODIFF" = 0 ] || return 0
  emit f "$C" "=$1"
  [ ! -f "$1" ] || emit d "$C" "~$(base64 <"$1" | tr -d '\n')"
  emit D "$C" "~$(base64 <"$2" | tr -d '\n')"
}
`;
