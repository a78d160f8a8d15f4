import { sh } from "../sh.js";

/**
 * m_dir PATH OWNER GROUP MODE [FLAGS]: n leaves links alone; m_absent PATH; m_link PATH TARGET FLAGS OWNER GROUP MODE:
 * f force, n no following, s without a target, k with one; m_hard PATH TARGET FLAGS OWNER GROUP MODE; m_touch PATH OWNER GROUP MODE
 * PRESERVE [NOFOLLOW]; m_attr PATH OWNER GROUP MODE [FLAGS]: f a file and nothing else. Needs the put library. d is the path that
 * was worked on.
 */
export const fileText = sh`
# real PATH FLAGS: d is what a link leads to, unless told to leave it
real() {
  d=$1
  if [ -L "$1" ]; then
    case $2 in *n*) ;; *) d=$(readlink -f "$1") ;; esac
  fi
}
kind() { case $FT in d) E_='directory' ;; l) E_='link' ;; -) E_='absent' ;; *) E_='file' ;; esac; }
m_dir() {
  real "$1" "$\{5-}"
  fst "$d"
  case $FT in
  d) fine 'directory exists'; att "$d" "$2" "$3" "$4" ;;
  -)
    if chg missing; then
      _p='' _rest=$\{d#/}
      # every level that is missing gets the attributes, as Ansible does
      case $d in /*) _p=/ ;; esac
      while [ -n "$_rest" ]; do
        _c=$\{_rest%%/*}
        case $_rest in */*) _rest=$\{_rest#*/} ;; *) _rest='' ;; esac
        [ -n "$_c" ] || continue
        _p=$_p$_c
        if [ ! -d "$_p" ]; then
          if [ -e "$_p" ]; then
            bad "There was an issue creating $_p as requested: [Errno 17] File exists: b'$_p'"
            return 1
          fi
          try mkdir "$_p" || return 1
          if [ -n "$2" ]; then try chown "$2" "$_p" || return 1; fi
          if [ -n "$3" ]; then try chgrp "$3" "$_p" || return 1; fi
          FT=d FM=755
          if [ -n "$4" ]; then
            wmode "$4" || return 1
            try chmod "$M_" "$_p" || return 1
          fi
        fi
        _p=$_p/
      done
    fi
    return
    ;;
  *)
    kind
    if [ "$FT" = f ] && [ "$(stat -c %h "$d")" != 1 ]; then E_='hard'; fi
    bad "$d already exists as a $E_"
    return 1
    ;;
  esac
}
# within DIRECTORY OWNER GROUP MODE FLAGS: attributes of all that is in it; not part of m_dir, as few programs need it
within() {
  if [ -n "$BAD" ] || [ ! -d "$1" ]; then return; fi
  # one name a line: what stands behind a line break in a name would be taken for a path of its own
  if find "$1" -mindepth 1 -name "*$NL*" | grep -q .; then
    bad "a name below $1 holds a line break"
    return 1
  fi
  find "$1" -mindepth 1 -printf '%y %m %U %G %u %g %p\n' >"$W/tree"
  while read -r FT FM FUI FGI FU FG _e; do
    att "$_e" "$2" "$3" "$4" || return 1
  done <"$W/tree"
  case $5 in *n*) return ;; esac
  find "$1" -mindepth 1 -type l -exec readlink -e {} \; >"$W/links"
  while IFS= read -r _e; do
    fst "$_e"
    att "$_e" "$2" "$3" "$4" || return 1
    # links within what a link leads to are left alone, so that a circle of them ends
    if [ "$FT" = d ]; then within "$_e" "$2" "$3" "$4" n; fi
  done <"$W/links"
}
m_absent() {
  d=$1
  fst "$1"
  if [ "$FT" = - ]; then fine 'not there'
  elif [ "$FT" = d ]; then
    if chg 'directory is there'; then try rm -rf "$1"; fi
  elif chg 'is there'; then try rm -f "$1"; fi
}
# replaceable PATH TARGET FLAGS: the link may stand there, and its target is; _w is the reason
replaceable() {
  case $3 in
  *s*) ;;
  *f*) ;;
  *)
    _x=$1/$2
    if [ "$FT" != d ]; then _x=$\{1%/*}/$2; fi
    case $2 in /*) _x=$2 ;; esac
    if [ ! -e "$_x" ] && ! awaited; then
      R_src=$2
      bad "src file does not exist, use \"force=yes\" if you really want to create the link: $_x"
      return 1
    fi
    ;;
  esac
  kind
  case $FT$3 in
  [ldfo-]*f*) if [ "$FT" = d ] && [ -n "$(ls -A "$1")" ]; then bad "the directory $1 is not empty, refusing to convert it"; return 1; fi ;;
  [dfo]*) bad "refusing to convert from $E_ to symlink for $1"; return 1 ;;
  esac
  _w="$E_ -> link"
  if [ "$FT" = - ]; then _w=missing; fi
}
m_link() {
  d=$1
  fst "$1"
  replaceable "$@" || return
  _c=
  if [ "$FT" = l ]; then _c=$(readlink "$1"); fi
  case $3 in
  *s*)
    if [ "$FT" != l ]; then bad 'src is required for creating new symlinks'; return 1; fi
    R_src=$_c
    ;;
  *) R_src=$2 ;;
  esac
  if [ "$_c" = "$R_src" ]; then fine "link to $_c"
  else
    if [ "$FT" = l ]; then _w="link to $_c -> $2"; fi
    if chg "$_w"; then
      if [ "$FT" = d ]; then try rmdir "$1" || return 1; fi
      _t=$1.edge-setup.$$
      try ln -s "$2" "$_t" || return 1
      try mv -fT "$_t" "$1" || { rm -f "$_t"; return 1; }
    elif [ ! -e "$1" ]; then return; fi
  fi
  [ -n "$4$5$6" ] || return 0
  real "$1" "$3"
  if [ ! -e "$d" ] && [ ! -L "$d" ]; then return; fi
  fst "$d"
  att "$d" "$4" "$5" "$6"
}
m_hard() {
  d=$1
  R_src=$2
  fst "$1"
  if [ ! -e "$2" ]; then
    case $3 in
    *s*) if [ "$FT" != f ] || [ "$(stat -c %h "$1")" = 1 ]; then bad 'src is required for creating new hardlinks'; return 1; fi ;;
    *)
      if awaited; then chg "$2 not there yet"; else bad 'src does not exist'; fi
      return
      ;;
    esac
  fi
  kind
  _w=
  if [ "$FT" = - ]; then _w=missing
  elif [ -n "$2" ] && [ "$(stat -Lc %d:%i "$1")" != "$(stat -Lc %d:%i "$2")" ] || [ "$FT" = l ]; then
    _w="$E_ -> hard link"
    case $FT:$3 in
    l* | *:*f*) ;;
    *)
      if [ "$FT" = f ] && [ "$(stat -c %h "$1")" = 1 ]; then bad "Cannot link, $E_ exists at destination"
      else bad 'Cannot link, different hard link exists at destination'; fi
      return 1
      ;;
    esac
  fi
  if [ -n "$_w" ]; then
    if chg "$_w"; then
      _t=$1.edge-setup.$$
      try ln "$2" "$_t" || return 1
      try mv -fT "$_t" "$1" || { rm -f "$_t"; return 1; }
    elif [ "$FT" = - ]; then return; fi
  fi
  fine 'hard link as wanted'
  fst "$1"
  att "$1" "$4" "$5" "$6"
}
m_touch() {
  real "$1" "$\{6-}"
  fst "$d"
  if [ "$FT" = - ]; then
    if chg missing; then
      try touch "$d" || return 1
      fst "$d"
      att "$d" "$2" "$3" "$4"
    fi
  else
    fine exists
    if [ -z "$5" ] && chg touched; then try touch "$d" || return 1; fi
    att "$d" "$2" "$3" "$4"
  fi
}
m_attr() {
  real "$1" "$\{5-}"
  fst "$d"
  kind
  case $FT$\{5-} in
  -*)
    if awaited; then chg "$1 not there yet"; else bad "file ($1) is absent, cannot continue"; fi
    return
    ;;
  [dl]*f*) bad "file ($d) is $E_, cannot continue"; return 1 ;;
  esac
  fine 'attributes as wanted'
  att "$d" "$2" "$3" "$4"
}
# m_times PATH MODIFIED ACCESSED: each preserve, now, or a date
m_times() {
  if [ -n "$BAD" ] || [ ! -e "$1" ]; then return; fi
  ftime m Y "$1" "$2" && ftime a X "$1" "$3"
}
ftime() {
  case $4 in
  preserve) return 0 ;;
  now) ;;
  *)
    _x=$(date -d "$4" +%s.000000000) || { bad "$4 is no time"; return 1; }
    if [ "$(stat -c "%.9$2" "$3")" = "$_x" ]; then return; fi
    ;;
  esac
  if chg "$1time $4"; then try touch "-$1" -d "$4" "$3"; fi
}
`;

/** pinfo PATH: what Ansible tells of a path beside all results that name one. */
export const pathInfoText = sh`
# pnamed PATH: likewise, named as Ansible does where no state is asked for
pnamed() {
  pinfo "$1"
  case $\{R_state-} in
  link) R_dest=$1 R_src=$(readlink "$1") ;;
  hard) R_dest=$1 ;;
  *) R_path=$1 ;;
  esac
}
FF='path dest src uid gid owner group mode state size'
pnone() { unset R_uid R_gid R_owner R_group R_mode R_state R_size; }
pinfo() {
  pnone
  [ -e "$1" ] || return 0
  # what this very task has changed is looked at anew
  if [ "$NCH" = 0 ]; then seen "$1"; else _s=$(stat -c '%f %a %u %g %s %U %G %h' "$1"); fi || return 0
  # shellcheck disable=SC2086
  set -- $_s
  R_state='file'
  case $1:$8 in
  a*) R_state='link' ;;
  4*) R_state='directory' ;;
  *:1) ;;
  *) R_state='hard' ;;
  esac
  case $2 in ?) R_mode=000$2 ;; ??) R_mode=00$2 ;; *) R_mode=0$2 ;; esac
  R_uid=$3 R_gid=$4 R_size=$5 R_owner=$6 R_group=$7
  case $6 in UNKNOWN) R_owner=$3 ;; esac
  case $7 in UNKNOWN) R_group=$4 ;; esac
}
`;

/** m_temp STATE DIRECTORY PREFIX SUFFIX: R_path is a new file or directory. Needs pathinfo. */
export const tempText = sh`
m_temp() {
  unset R_path
  pnone
  if [ -n "$K" ]; then
    PEND='check mode makes nothing temporary' LATER=1
    return
  fi
  _x=
  if [ "$1" = directory ]; then _x=-d; fi
  chg made
  R_path=$2
  [ -n "$2" ] || R_path=$\{TMPDIR:-/tmp}
  if R_path=$(mktemp $_x -- "$R_path/$3XXXXXXXX$4" 2>"$W/m"); then pinfo "$R_path"; else
    unset R_path
    bad "$(tail -n 1 "$W/m")"
  fi
}
`;
