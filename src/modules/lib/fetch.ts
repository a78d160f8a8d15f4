import { sh } from "../sh.js";

/** m_stat PATH FOLLOW ALGORITHM; ALGORITHM '' makes no checksum. */
export const statText = sh`
SF=
for _f in exists path mode isdir isreg islnk issock isfifo isblk ischr uid gid size mtime atime ctime inode nlink pw_name \
  gr_name lnk_source lnk_target checksum readable writeable executable; do SF="$SF stat_$_f"; done
m_stat() {
  for _f in $SF; do unset "R_$_f"; done
  R_stat_exists=false
  _L=
  [ -z "$2" ] || _L=-L
  # shellcheck disable=SC2086
  if ! _s=$(stat $_L -c '%f %a %u %g %s %Y %X %Z %i %h %U %G' "$1" 2>/dev/null); then fine 'does not exist'; return; fi
  R_stat_exists=true R_stat_path=$1
  _1=$1 _3=$3
  # shellcheck disable=SC2086
  set -- $_s
  for _f in 8reg 4dir alnk csock 1fifo 6blk 2chr; do
    _v=false
    if [ "$\{1%???}" = "$\{_f%"$\{_f#?}"}" ]; then _v=true; fi
    eval "R_stat_is$\{_f#?}=$_v"
  done
  if [ "$R_stat_islnk" = true ]; then R_stat_lnk_target=$(readlink "$_1") R_stat_lnk_source=$(readlink -f "$_1"); fi
  case $2 in ????) R_stat_mode=$2 ;; *) R_stat_mode=$(printf '%04d' "$2") ;; esac
  R_stat_uid=$3 R_stat_gid=$4 R_stat_size=$5 R_stat_mtime=$6 R_stat_atime=$7 R_stat_ctime=$8 R_stat_inode=$9
  shift 9
  R_stat_nlink=$1 R_stat_pw_name=$2 R_stat_gr_name=$3
  R_stat_readable=false R_stat_writeable=false R_stat_executable=false
  [ ! -r "$_1" ] || R_stat_readable=true
  [ ! -w "$_1" ] || R_stat_writeable=true
  [ ! -x "$_1" ] || R_stat_executable=true
  if [ -n "$_3" ] && [ "$R_stat_isreg" = true ]; then
    _s=$("$\{_3}sum" "$_1") && R_stat_checksum=$\{_s%% *}
  fi
  fine exists
}
`;

/** m_slurp PATH */
export const slurpText = sh`
m_slurp() {
  unset R_content
  R_source=$1 R_encoding=base64
  if [ ! -r "$1" ]; then
    if [ -n "$K" ]; then skip "$1 not there yet"; else bad "$1 is not there or cannot be read"; fi
    return
  fi
  R_content=$(head -c 1048576 "$1" | base64 | tr -d '\n')
  fine read
}
`;

/** m_url URL DEST ALGORITHM SUM OWNER GROUP MODE FORCE TIMEOUT HEADER...; needs the put library. */
export const urlText = sh`
m_url() {
  d=$2
  if [ -d "$d" ]; then
    _b=$\{1%%\?*}
    d=$\{d%/}/$\{_b##*/}
  fi
  fst "$d"
  _w=missing
  if [ "$FT" = f ]; then
    if [ -n "$4" ]; then
      _x=$("$\{3}sum" "$d")
      if [ "$\{_x%% *}" = "$4" ]; then fine "$3 equal"; att "$d" "$5" "$6" "$7"; return; fi
      _w="$3 differs"
    elif [ -z "$8" ]; then fine exists; att "$d" "$5" "$6" "$7"; return
    else _w='fetched again (force)'; fi
  fi
  chg "$_w" || return 0
  _al=$3 _su=$4 _ow=$5 _gr=$6 _mo=$7 _ti=$9 _ur=$1
  shift 9
  if command -v curl >/dev/null 2>&1; then
    for _h; do printf 'header = "%s"\n' "$_h"; done >"$W/curlrc"
    try curl -K "$W/curlrc" -fsSL --connect-timeout "$_ti" --retry 2 -o "$W/url" "$_ur" || return 1
  elif command -v wget >/dev/null 2>&1; then
    for _h; do printf 'header = %s\n' "$_h"; done >"$W/wgetrc"
    WGETRC=$W/wgetrc try wget -q -T "$_ti" -t 3 -O "$W/url" "$_ur" || return 1
  else bad 'neither curl nor wget is installed'; return 1; fi
  if [ -n "$_su" ]; then
    _x=$("$\{_al}sum" "$W/url")
    if [ "$\{_x%% *}" != "$_su" ]; then bad "$_al of what came is $\{_x%% *}, not $_su"; return 1; fi
  elif [ "$FT" = f ] && cmp -s "$W/url" "$d"; then
    CH='' NCH=0
    fine 'content equal'
    att "$d" "$_ow" "$_gr" "$_mo"
    return
  fi
  put "$W/url" "$d" "$_ow" "$_gr" "$_mo"
  rm -f "$W/url"
}
`;

/** m_unarchive FILE DEST CREATES SHA OWNER GROUP STRIP; FILE '' takes the payload SHA. Tar, any compression tar knows. */
export const unarchiveText = sh`
m_unarchive() {
  if [ -n "$3" ] && [ -e "$3" ]; then fine "$3 exists"; return; fi
  if [ ! -d "$2" ]; then
    if [ -n "$K" ]; then chg "$2 not there yet"; else bad "$2 is no directory"; fi
    return
  fi
  _a=$1
  if [ -z "$1" ]; then
    _a=$W/p/$4
    emit w "$C" "=$4"
    if [ ! -f "$_a" ]; then
      if [ -n "$K" ]; then chg "$\{3:-content} missing$\{FRM:+ (source $FRM)}"; return; fi
      need "$4"
    fi
  elif [ ! -f "$1" ]; then
    if [ -n "$K" ]; then chg "$1 not there yet"; else bad "$1 does not exist"; fi
    return
  elif [ -z "$3" ] && [ -z "$7" ] && tar -df "$_a" -C "$2" >/dev/null 2>&1; then fine 'content equal'; return; fi
  if chg "$\{3:-content} missing"; then
    try tar -xf "$_a" -C "$2" $\{7:+--strip-components="$7"} $\{5:+--owner="$5"} || return 1
    if [ -n "$5$6" ]; then
      tar -tf "$_a" | while IFS= read -r _f; do chown -h "$5$\{6:+:$6}" "$2/$_f" 2>/dev/null; done
    fi
  fi
}
`;
