import { sh } from "../sh.js";

/** m_copy DEST DIGEST OWNER GROUP MODE FLAGS BASENAME; BASENAME . is that of DEST; flags: b backup, n no force, o follow; uses VLD and V(). */
export const copyText = sh`
m_copy() {
  d=$1
  case $d in
  */) d=$d$7 ;;
  *)
    if [ -d "$d" ]; then
      if [ -z "$7" ]; then bad 'can not use content with a dir as dest'; return 1; fi
      if [ "$7" = . ]; then d=$d/$\{d##*/}; else d=$d/$7; fi
    fi
    ;;
  esac
  case $6 in *o*) if [ -L "$d" ]; then d=$(readlink -f "$d"); fi ;; esac
  fst "$d"
  case $FT in
  -) _w=missing ;;
  f)
    case $6 in *n*) fine "exists, force is no"; att "$d" "$3" "$4" "$5"; return ;; esac
    _w='content differs'
    if [ -z "$2" ]; then _w="source $\{FRM:-not yet fetched}"
    elif sha256 "$d" && [ "$\{H_#"$2"}" != "$H_" ]; then
      fine 'sha256 equal'
      att "$d" "$3" "$4" "$5"
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
      case $6 in *b*) bak "$d" || return 1 ;; esac
    elif [ "$FT" = - ]; then
      case $1 in */) if [ ! -d "$1" ]; then try mkdir -p "$1" || return 1; fi ;; esac
    fi
    put "$W/p/$2" "$d" "$3" "$4" "$5"
  elif [ "$FT" = f ]; then
    olddiff "$d"
  fi
}
`;

/**
 * m_copied: what Ansible tells of a file that m_copy has looked at or written. Of checksums it says that they are there: the
 * controller knows them. Needs pathinfo.
 */
export const copiedText = sh`
CPF='dest checksum md5sum backup_file uid gid owner group mode state size'
m_copied() {
  unset R_dest R_checksum R_md5sum R_backup_file
  pnone
  case $BAD in
  '') ;;
  'can not'*) return ;;
  *) R_checksum=known; return ;;
  esac
  case $OKW in
  exists,*) R_dest=$d ;;
  '')
    # in check mode, nothing is told of what is to come
    [ -z "$K" ] || return 0
    R_dest=$d R_checksum=known R_md5sum=known
    case $\{BK-} in "$d".*) R_backup_file=$BK ;; esac
    pinfo "$d"
    ;;
  *)
    R_dest=$d R_checksum=known
    pinfo "$d"
    ;;
  esac
}
`;

/**
 * m_rcopy SRC DEST OWNER GROUP MODE FLAGS DIRMODE SUM: both on the host; flags: b backup, f follow, n no force, l links are
 * followed. Needs file and put.
 */
export const rcopyText = sh`
m_rcopy() {
  if [ ! -e "$1" ]; then
    if awaited; then chg "$1 not there yet"; else bad "Source $1 not found"; fi
    return
  fi
  if [ -d "$1" ]; then rcopytree "$@"; return; fi
  if [ ! -f "$1" ]; then bad "Cannot copy invalid source '$1': not a file"; return 1; fi
  _n=$\{1##*/} _md=$5
  if [ "$5" = preserve ]; then _md=$(stat -Lc %a "$1"); fi
  _sum=$(sha1sum <"$1")
  _sum=$\{_sum%% *}
  if [ -n "$8" ] && [ "$8" != "$_sum" ]; then
    bad 'Copied file does not match the expected checksum. Transfer failed.'
    return 1
  fi
  t=$2
  case $t in
  */)
    if [ ! -d "$t" ]; then
      if ! chg "dest directory $\{t%/} missing"; then return; fi
      m_dir "$\{t%/}" "$3" "$4" "$7"
      [ -z "$BAD" ] || return 1
    fi
    ;;
  esac
  if [ -d "$t" ]; then t=$\{t%/}/$_n; fi
  case $6 in *f*) if [ -L "$t" ]; then t=$(readlink -f "$t"); fi ;; esac
  d=$t
  R_dest=$t
  if [ -e "$t" ]; then
    case $6 in *n*) fine 'file already exists'; return ;; esac
  elif [ ! -d "$\{t%/*}/" ]; then
    unset R_dest
    if awaited; then chg "$\{t%/*} not there yet"; else bad "Destination directory $\{t%/*} does not exist"; fi
    return
  fi
  R_checksum=$_sum
  R_md5sum=$(md5sum <"$1")
  R_md5sum=$\{R_md5sum%% *}
  fst "$t"
  if [ "$FT" = f ] && cmp -s "$1" "$t"; then fine 'content equal'; att "$t" "$3" "$4" "$_md"; return; fi
  _w='content differs'
  if [ "$FT" = - ]; then _w=missing; fi
  # a new file begins as the default says, and so do its attributes
  if chg "$_w"; then
    case $6 in *b*) if [ "$FT" = f ]; then bak "$t" || return 1; R_backup_file=$BK; fi ;; esac
    put "$1" "$t" "$3" "$4" "$_md"
  elif [ "$FT" = f ]; then att "$t" "$3" "$4" "$_md"; fi
}
rcopytree() {
  t=$2
  _n=$\{1%/}
  _n=$\{_n##*/}
  _dest=$\{2%/}
  case $1 in
  */)
    t=$_dest
    if [ -d "$_dest" ]; then _dest=$_dest/; fi
    ;;
  *)
    t=$_dest/$_n
    if [ -d "$_dest" ]; then _dest=$t; fi
    ;;
  esac
  d=$_dest
  R_dest=$d
  _ln=P
  case $6 in *l*) _ln=L ;; esac
  if [ -e "$t" ] && [ ! -d "$t" ]; then bad "$t exists and is no directory"; return 1; fi
  _miss=0 _diff=0
  (cd "$1" && if [ "$_ln" = L ]; then find -L . -mindepth 1; else find . -mindepth 1; fi) >"$W/tree"
  while IFS= read -r _e; do
    if [ ! -e "$t/$_e" ] && [ ! -L "$t/$_e" ]; then _miss=$((_miss + 1))
    elif [ -f "$1/$_e" ] && ! cmp -s "$1/$_e" "$t/$_e"; then _diff=$((_diff + 1)); fi
  done <"$W/tree"
  if [ ! -d "$t" ] && chg "$t missing"; then
    _p=
    try mkdir -p "$t" || return 1
  fi
  if [ "$_miss$_diff" != 00 ] && chg "$_miss missing, $_diff different"; then
    while IFS= read -r _e; do
      if [ -d "$1/$_e" ] && { [ "$_ln" = L ] || [ ! -L "$1/$_e" ]; }; then
        if [ ! -d "$t/$_e" ]; then
          try mkdir "$t/$_e" || return 1
          try chmod --reference="$1/$_e" "$t/$_e" || return 1
        fi
      elif [ -L "$1/$_e" ] && [ "$_ln" = P ]; then
        [ -L "$t/$_e" ] || try cp -P "$1/$_e" "$t/$_e" || return 1
      elif ! cmp -s "$1/$_e" "$t/$_e"; then
        try cp "$1/$_e" "$t/$_e" || return 1
        try chmod --reference="$1/$_e" "$t/$_e" || return 1
      fi
    done <"$W/tree"
  fi
  [ -d "$t" ] || return 0
  fine 'tree equal'
  if [ -n "$3$4" ]; then within "$t" "$3" "$4" '' n || return 1; fi
  fst "$_dest"
  _md=$5
  if [ "$5" = preserve ]; then _md=$(stat -Lc %a "$1"); fi
  att "$_dest" "$3" "$4" "$_md"
}
`;
