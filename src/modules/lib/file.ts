import { sh } from "../sh.js";

/**
 * m_dir PATH OWNER GROUP MODE [recurse]; m_absent PATH; m_link PATH TARGET FORCE OWNER GROUP;
 * m_touch PATH OWNER GROUP MODE PRESERVE; m_attr PATH OWNER GROUP MODE. Needs the put library.
 */
export const fileText = sh`
m_dir() {
  if [ -L "$1" ] && [ -d "$1" ]; then FT=d; fst "$(readlink -f "$1")"; else fst "$1"; fi
  case $FT in
  d) fine 'directory exists'; att "$1" "$2" "$3" "$4" ;;
  -)
    if chg missing; then
      _p='' _rest=$\{1#/}
      # every level that is missing gets the attributes, as Ansible does
      case $1 in /*) _p=/ ;; esac
      while [ -n "$_rest" ]; do
        _c=$\{_rest%%/*}
        case $_rest in */*) _rest=$\{_rest#*/} ;; *) _rest='' ;; esac
        [ -n "$_c" ] || continue
        _p=$_p$_c
        if [ ! -d "$_p" ]; then
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
    ;;
  *) bad "$1 exists and is no directory" ;;
  esac
  if [ -n "$\{5-}" ] && [ -d "$1" ]; then
    # one name a line: what stands behind a line break in a name would be taken for a path of its own
    if find "$1" -mindepth 1 -name "*$NL*" | grep -q .; then
      bad "a name below $1 holds a line break"
      return 1
    fi
    find "$1" -mindepth 1 >"$W/tree"
    while IFS= read -r _e; do
      fst "$_e"
      att "$_e" "$2" "$3" "$4" || return 1
    done <"$W/tree"
  fi
}
m_absent() {
  fst "$1"
  if [ "$FT" = - ]; then fine 'not there'
  elif [ "$FT" = d ]; then
    if chg 'directory is there'; then try rm -rf "$1"; fi
  elif chg 'is there'; then try rm -f "$1"; fi
}
m_link() {
  fst "$1"
  case $FT in
  l)
    _c=$(readlink "$1")
    if [ "$_c" = "$2" ]; then
      fine "link to $2"
      att "$1" "$4" "$5" ''
      return
    fi
    _w="link to $_c -> $2"
    ;;
  -) _w=missing ;;
  d)
    if [ -z "$3" ] || [ -n "$(ls -A "$1")" ]; then bad "$1 is a directory, not replaced by a link"; return 1; fi
    _w='directory -> link'
    ;;
  *)
    if [ -z "$3" ]; then bad "$1 is a file, not replaced by a link without force"; return 1; fi
    _w='file -> link'
    ;;
  esac
  if [ -z "$3" ] && [ -z "$K" ]; then
    case $2 in /*) _x=$2 ;; *) _x=$\{1%/*}/$2 ;; esac
    if [ ! -e "$_x" ]; then bad "link target $2 does not exist (force: true links all the same)"; return 1; fi
  fi
  if chg "$_w"; then
    if [ "$FT" = d ]; then try rmdir "$1" || return 1; fi
    _t=$1.edge-setup.$$
    try ln -s "$2" "$_t" || return 1
    if [ -n "$4" ]; then try chown -h "$4" "$_t" || return 1; fi
    if [ -n "$5" ]; then try chgrp -h "$5" "$_t" || return 1; fi
    try mv -fT "$_t" "$1" || { rm -f "$_t"; return 1; }
  fi
}
m_touch() {
  fst "$1"
  if [ "$FT" = - ]; then
    if chg missing; then
      try touch "$1" || return 1
      fst "$1"
      att "$1" "$2" "$3" "$4"
    fi
  else
    fine exists
    if [ -z "$5" ] && chg touched; then try touch "$1" || return 1; fi
    att "$1" "$2" "$3" "$4"
  fi
}
m_attr() {
  if [ -L "$1" ] && [ -e "$1" ]; then fst "$(readlink -f "$1")"; else fst "$1"; fi
  if [ "$FT" = - ]; then
    if [ -n "$K" ]; then chg 'not there yet'; else bad "$1 does not exist"; fi
    return
  fi
  fine 'attributes as wanted'
  att "$1" "$2" "$3" "$4"
}
`;
