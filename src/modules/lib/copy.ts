import { sh } from "../sh.js";

/** R_dest. m_copy DEST DIGEST BYTES OWNER GROUP MODE FLAGS BASENAME; BASENAME . is that of DEST; flags: b backup, n no force, o follow; uses VLD and V(). */
export const copyText = sh`
# m_rcopy SRC DEST OWNER GROUP MODE FLAGS BASENAME: both on the host
m_rcopy() {
  d=$2
  if [ -d "$d" ]; then d=$\{d%/}/$7; fi
  if [ ! -f "$1" ]; then
    if [ -n "$K" ]; then chg "$1 not there yet"; else bad "$1 is no file"; fi
    return
  fi
  _md=$5
  if [ "$5" = preserve ]; then _md=$(stat -c %a "$1"); fi
  fst "$d"
  case $FT in
  -) _w=missing ;;
  f)
    if [ "$6" = n ] || cmp -s "$1" "$d"; then fine 'content equal'; att "$d" "$3" "$4" "$_md"; return; fi
    _w='content differs'
    ;;
  *) bad "$d exists and is no file"; return 1 ;;
  esac
  if chg "$_w"; then put "$1" "$d" "$3" "$4" "$_md"; fi
}
m_copy() {
  d=$1
  case $d in
  */) d=$d$8 ;;
  *)
    if [ -d "$d" ]; then
      if [ -z "$8" ]; then bad "$d is a directory"; return 1; fi
      if [ "$8" = . ]; then d=$d/$\{d##*/}; else d=$d/$8; fi
    fi
    ;;
  esac
  R_dest=$d
  case $7 in *o*) if [ -L "$d" ]; then d=$(readlink -f "$d"); fi ;; esac
  fst "$d"
  case $FT in
  -) _w=missing ;;
  f)
    case $7 in *n*) fine "exists, force is no"; att "$d" "$4" "$5" "$6"; return ;; esac
    _w='content differs'
    if [ -z "$2" ]; then _w="source $\{FRM:-not yet fetched}"
    elif [ "$FS" = "$3" ] && sha256 "$d" && [ "$\{H_#"$2"}" != "$H_" ]; then
      fine 'sha256 equal'
      att "$d" "$4" "$5" "$6"
      return
    fi
    ;;
  l) _w='is a link, not a file' ;;
  *) bad "$d exists and is no file"; return 1 ;;
  esac
  if [ -z "$2" ] && [ "$FT" = - ]; then _w="missing (source $\{FRM:-not yet fetched})"; fi
  enc "$d"
  emit w "$C" "=$2" "$E_"
  if chg "$_w"; then
    if [ -z "$2" ] || [ ! -f "$W/p/$2" ]; then need "$2"; fi
    if [ "$FT" = f ]; then
      olddiff "$d"
      case $7 in *b*) bak "$d" || return 1 ;; esac
    elif [ "$FT" = - ]; then
      case $1 in */) if [ ! -d "$1" ]; then try mkdir -p "$1" || return 1; fi ;; esac
    fi
    put "$W/p/$2" "$d" "$4" "$5" "$6"
  elif [ "$FT" = f ]; then
    olddiff "$d"
  fi
}
`;
