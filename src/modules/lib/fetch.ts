import { sh } from "../sh.js";

/** m_stat PATH FLAGS ALGORITHM: flags f follow, m the kind of content, a flags of the file system; ALGORITHM '' makes no checksum. */
export const statText = sh`
SF=
for _f in exists path mode isdir isreg islnk issock isfifo isblk ischr uid gid size mtime atime ctime inode nlink dev blocks \
  block_size device_type pw_name gr_name rusr wusr xusr rgrp wgrp xgrp roth woth xoth isuid isgid lnk_source lnk_target checksum \
  readable writeable executable mimetype charset version attributes attr_flags; do SF="$SF stat_$_f"; done
m_stat() {
  for _f in $SF; do unset "R_$_f"; done
  R_stat_exists=false
  _L='' _1=$1 _2=$2 _3=$3
  case $2 in *f*) _L=-L ;; esac
  # shellcheck disable=SC2086
  if ! _s=$(stat $_L -c '%f %a %u %g %s %.9Y %.9X %.9Z %i %h %U %G %d %b %o %t %T' -- "$1" 2>&1); then
    case $_s in *'No such file'*) fine 'does not exist' ;; *) unset R_stat_exists; bad "$\{_s##*: }" ;; esac
    return
  fi
  R_stat_exists=true R_stat_path=$1
  # shellcheck disable=SC2086
  set -- $_s
  for _f in 8reg 4dir alnk csock 1fifo 6blk 2chr; do
    _v=false
    if [ "$\{1%???}" = "$\{_f%"$\{_f#?}"}" ]; then _v=true; fi
    eval "R_stat_is$\{_f#?}=$_v"
  done
  _f=$((0$2))
  for _v in rusr=256 wusr=128 xusr=64 rgrp=32 wgrp=16 xgrp=8 roth=4 woth=2 xoth=1 isuid=2048 isgid=1024; do
    if [ $((_f & $\{_v#*=})) = 0 ]; then eval "R_stat_$\{_v%=*}=false"; else eval "R_stat_$\{_v%=*}=true"; fi
  done
  if [ "$R_stat_islnk" = true ]; then R_stat_lnk_target=$(readlink "$_1") R_stat_lnk_source=$(readlink -m "$_1"); fi
  case $2 in ?) R_stat_mode=000$2 ;; ??) R_stat_mode=00$2 ;; ???) R_stat_mode=0$2 ;; *) R_stat_mode=$2 ;; esac
  R_stat_uid=$3 R_stat_gid=$4 R_stat_size=$5 R_stat_mtime=$6 R_stat_atime=$7 R_stat_ctime=$8 R_stat_inode=$9
  shift 9
  R_stat_nlink=$1 R_stat_dev=$4 R_stat_blocks=$5 R_stat_block_size=$6
  if [ "$2" != UNKNOWN ]; then R_stat_pw_name=$2; fi
  if [ "$3" != UNKNOWN ]; then R_stat_gr_name=$3; fi
  R_stat_device_type=$((((0x$7 & 0xfff) << 8) | (0x$8 & 0xff) | ((0x$8 & 0xfff00) << 12)))
  R_stat_readable=false R_stat_writeable=false R_stat_executable=false
  [ ! -r "$_1" ] || R_stat_readable=true
  [ ! -w "$_1" ] || R_stat_writeable=true
  [ ! -x "$_1" ] || R_stat_executable=true
  if [ -n "$_3" ] && [ "$R_stat_isreg" = true ]; then
    _s=$("$\{_3}sum" <"$_1") && R_stat_checksum=$\{_s%% *}
  fi
  case $_2 in *m*) mime "$_1" ;; esac
  case $_2 in *a*) fsflags "$_1" ;; esac
  fine exists
}
mime() {
  R_stat_mimetype=unknown R_stat_charset=unknown
  if command -v file >/dev/null 2>&1 && _s=$(file --mime-type --mime-encoding -- "$1" 2>/dev/null); then
    _s=$\{_s##*: }
    R_stat_mimetype=$\{_s%%;*} R_stat_charset=$\{_s##*=}
  fi
}
fsflags() {
  R_stat_attributes='[]' R_stat_attr_flags='' R_stat_version=null
  if command -v lsattr >/dev/null 2>&1 && _s=$(lsattr -vd -- "$1" 2>/dev/null); then
    # shellcheck disable=SC2086
    set -- $_s
    R_stat_version="\"$1\"" R_stat_attr_flags=$(printf %s "$2" | tr -d -) _v=
    for _f in Anoatime aappend ccompressed Cnocow dnodump Ddirsync eextents Eencrypted hblocksize iimmutable Iindexed jjournalled \
      Ninline szero Ssynchronous tnotail Tblockroot uundelete Xcompressedraw Zcompresseddirty; do
      case $R_stat_attr_flags in *"$\{_f%"$\{_f#?}"}"*) _v="$_v, \"$\{_f#?}\"" ;; esac
    done
    R_stat_attributes="[$\{_v#, }]"
  fi
}
`;

/** m_slurp PATH: R_content in base64. */
export const slurpText = sh`
m_slurp() {
  unset R_content R_source R_encoding
  if [ ! -e "$1" ]; then
    if awaited; then skip "$1 not there yet"; else bad "file not found: $1"; fi
    return
  fi
  if [ -d "$1" ]; then bad "source is a directory and must be a file: $1"; return 1; fi
  if [ ! -r "$1" ]; then bad "file is not readable: $1"; return 1; fi
  R_source=$1 R_encoding=base64
  R_content=$(base64 -w 0 <"$1")
  fine read
}
`;

/**
 * m_url URL DEST ALGORITHM SUM OWNER GROUP MODE FLAGS TIMEOUT TMP CURLRC WGETRC ASK SUMS: flags f force, b backup, k no conditions of
 * wget, w the result is wanted. SUM may be a URL. ASK and SUMS name what is called where a check asks a server, and where SUM is
 * an address. Needs put, and pathinfo with w.
 */
export const urlText = sh`
# geturl URL FILE [WORD...]: HTTP is the status, 000 where there is none; false when nothing came
geturl() {
  _u=$1 _o=$2
  shift 2
  rm -f "$_o"
  if command -v curl >/dev/null 2>&1; then
    HTTP=$(curl -K "$W/curlrc" -sSL --connect-timeout "$_ti" --speed-time "$_ti" --speed-limit 1 --retry 2 -D "$W/head" \
      -o "$_o" -w '%{http_code}' "$@" "$_u" 2>"$W/m" 3>&- 9>&-) || { R_msg=$(grep -m 1 '^curl: ' "$W/m"); bad "$R_msg"; return 1; }
  elif [ -n "$_nw" ]; then bad 'curl is not installed, and wget cannot do what is asked'; return 1
  elif command -v wget >/dev/null 2>&1; then
    if [ "$\{1-}" = -z ]; then
      printf 'header = If-Modified-Since: %s\n' "$(date -u -r "$2" '+%a, %d %b %Y %H:%M:%S GMT')" >>"$W/wgetrc"
      shift 2
    fi
    WGETRC=$W/wgetrc wget -nv -S -T "$_ti" -t 3 $\{1:+--spider} -O "$_o" "$_u" >"$W/head" 2>&1 3>&- 9>&-
    _x=$?
    HTTP=$(sed -n 's/^ *HTTP\/[0-9.]* \([0-9]*\).*/\1/p' "$W/head" | tail -n 1)
    if [ -z "$HTTP" ] && [ "$_x" != 0 ]; then R_msg=$(tail -n 1 "$W/head"); bad "$R_msg"; return 1; fi
  else bad 'neither curl nor wget is installed'; return 1; fi
  R_status_code=$HTTP
  case $HTTP in
  200 | 304 | 000 | '') ;;
  *)
    R_msg='Request failed'
    bad "Request failed: status $HTTP of $_u"
    return 1
    ;;
  esac
  _x=$(tr -d '\r' <"$W/head" | sed -n 's/^ *[Cc]ontent-[Ll]ength: *//p' | tail -n 1)
  R_msg="OK ($\{_x:-unknown} bytes)"
}
# sumof FILE: the checksum of the file at URL in a list of checksums
sumof() {
  _n=$\{1%%[?#]*}
  _n=$\{_n##*/}
  awk -v n="$\{_n:-index.html}" '{ all = all $0 "\n"; fields = NF; s = $1; f = substr($0, length($1) + 2); sub(/^[ *]/, "", f); sub(/^[.\/]+/, "", f)
    if (f == n && !found) { found = 1; print s; exit } first = $1 }
    END { if (!found && NR == 1 && fields == 1) print first }' "$2" | tr -cd '[:alnum:]_' | tr '[:upper:]' '[:lower:]'
}
m_url() {
  _ur=$1 _al=$3 _su=$4 _ow=$5 _gr=$6 _mo=$7 _fl=$8 _ti=$9
  shift 9
  for _x in status_code msg checksum_src checksum_dest md5sum backup_file uid gid owner group mode state size; do unset "R_$_x"; done
  R_url=$_ur R_dest=$d R_elapsed=0
  (umask 077; printf '%s\n' "$2" >"$W/curlrc"; printf '%s\n' "$3" >"$W/wgetrc")
  _nw='' _ask=$4 _sums=$5
  case $_fl in *k*) _nw=1 ;; esac
  _tm=$W/url
  if [ -n "$1" ]; then
    if [ ! -d "$1" ]; then
      if [ -e "$1" ]; then bad "$1 is a file but should be a directory."; else bad "$1 directory does not exist."; fi
      return 1
    fi
    _tm=$(mktemp "$1/.edge-setup.XXXXXX") || { bad "no file can be made in $1"; return 1; }
  fi
  url
  rm -f "$_tm"
  case $_fl in *w*) if [ -z "$BAD" ]; then pinfo "$d"; fi ;; esac
}
url() {
  case $_su in
  *://*)
    "$_ask" "$_su" "$_tm" || return 1
    unset R_status_code
    _x=$("$_sums" "$_ur" "$_tm")
    if [ -z "$_x" ]; then bad "Unable to find a checksum for file '$\{_ur##*/}' in '$_su'"; return 1; fi
    _su=$_x
    ;;
  esac
  _dir=
  if [ -d "$d" ]; then
    _dir=1 _x=$\{_ur%%[?#]*}
    _x=$\{_x##*/}
    d=$\{d%/}/$\{_x:-index.html}
  fi
  fst "$d"
  _w=missing
  set --
  if [ -n "$_dir" ]; then _w='asked for again'
  elif [ -e "$d" ]; then
    _w='content differs'
    case $_fl$\{_su:+s} in
    *f*) _w='asked for again (force)' ;;
    *s)
      _x=$("$\{_al}sum" <"$d")
      if [ "$\{_x%% *}" = "$_su" ]; then
        fine "$_al equal"
        R_msg='file already exists'
        att "$d" "$_ow" "$_gr" "$_mo"
        if [ "$NCH" -gt 0 ]; then R_msg='file already exists but file attributes changed'; fi
        return
      fi
      _w="$_al differs"
      ;;
    *) set -- -z "$d" ;;
    esac
  fi
  if [ -n "$K" ]; then
    # a server is only asked where the file itself says nothing
    if [ $# -gt 0 ]; then
      "$_ask" "$_ur" "$_tm" "$@" -I || return 1
      if [ "$HTTP" = 304 ]; then same; return; fi
      _w='server has a newer one'
    fi
    chg "$_w"
    return
  fi
  #apply
  geturl "$_ur" "$_tm" "$@" || return 1
  if [ "$HTTP" = 304 ]; then same; return; fi
  [ -e "$_tm" ] || : >"$_tm"
  if [ -n "$_dir" ]; then
    _x=$(tr -d '\r' <"$W/head" | sed -n 's/^ *[Cc]ontent-[Dd]isposition: *attachment; \{0,1\}filename="\{0,1\}\([^"]*\).*/\1/p' | tail -n 1)
    if [ -n "$\{_x##*/}" ]; then d=$\{d%/*}/$\{_x##*/}; fi
    fst "$d"
  fi
  R_dest=$d
  case $_fl in
  *w*)
    R_checksum_src=$(sha1sum <"$_tm")
    R_checksum_src=$\{R_checksum_src%% *}
    R_md5sum=$(md5sum <"$_tm")
    R_md5sum=$\{R_md5sum%% *}
    if [ "$FT" = f ]; then
      R_checksum_dest=$(sha1sum <"$d")
      R_checksum_dest=$\{R_checksum_dest%% *}
    fi
    ;;
  esac
  if [ ! -d "$\{d%/*}/" ]; then unset R_msg R_status_code R_md5sum; bad "Destination $\{d%/*} does not exist"; return 1; fi
  if [ -n "$_su" ]; then
    _x=$("$\{_al}sum" <"$_tm")
    if [ "$\{_x%% *}" != "$_su" ]; then
      unset R_msg R_status_code R_md5sum
      bad "The checksum for $d did not match $_su; it was $\{_x%% *}."
      return 1
    fi
  fi
  if [ "$FT" = f ] && cmp -s "$_tm" "$d"; then fine 'content equal'; att "$d" "$_ow" "$_gr" "$_mo"; return; fi
  if chg "$_w"; then
    case $_fl in *b*) if [ "$FT" = f ]; then bak "$d" || return 1; R_backup_file=$BK; fi ;; esac
    put "$_tm" "$d" "$_ow" "$_gr" "$_mo"
  fi
  #end
}
same() {
  fine 'server has no newer one'
  R_msg='HTTP Error 304: Not Modified' R_status_code=304
}
`;

/**
 * m_unarchive FILE DEST CREATES SHA OWNER GROUP MODE FLAGS OPTIONS MEMBERS WORD...: FILE '' takes the payload SHA; flags: k keeps newer
 * files, l lists them; as many of the words are options, and as many members to take, the rest are members to leave out. All formats
 * that tar knows, and zip by unzip. Needs put.
 */
export const unarchiveText = sh`
# inarchive WORD...: $W/names are the members, $W/diff what differs on the host
inarchive() {
  if ! tar -tf "$_a" "$@" >"$W/names" 2>"$W/m"; then
    bad "Failed to find handler for \"$_sr\". Make sure the required command to extract the file is installed. $(tail -n 1 "$W/m")"
    return 1
  fi
  tar -df "$_a" -C "$_to" "$@" >"$W/td" 2>&1
  _x='Mod time differs|Cannot stat: No such file|Invalid owner|Invalid group'
  [ -n "$_md" ] || _x="$_x|Mode differs"
  if [ "$UIDN" = 0 ]; then
    [ -n "$_ow" ] || _x="$_x|Uid differs"
    [ -n "$_gr" ] || _x="$_x|Gid differs"
  fi
  grep -v ': : Warning: Cannot stat: No such file' "$W/td" | grep -E "$_x" >"$W/diff"
  return 0
}
# inzip WORD...: likewise; the archive is among the words. All is unpacked here and compared
inzip() {
  if ! command -v unzip >/dev/null 2>&1; then
    bad "Failed to find handler for \"$_sr\". Make sure the required command to extract the file is installed. unzip is not on this host"
    return 1
  fi
  rm -rf "$W/zip"
  try mkdir "$W/zip" || return 1
  (shift "$_no" && unzip -Z1 "$@" >"$W/names" 2>/dev/null)
  if ! unzip -o -q "$@" -d "$W/zip" >"$W/m" 2>&1; then bad "$(tail -n 2 "$W/m")"; return 1; fi
  (cd "$W/zip" && find . -mindepth 1 -printf '%y %m %T@ %P\n') >"$W/tree"
  : >"$W/diff"
  while read -r _y _m _t _e; do
    # directories that are no members may be as they are
    if [ "$_y" = d ] && ! grep -qxF -e "$_e/" "$W/names"; then continue; fi
    if zipsame "$_to/$_e"; then continue; fi
    printf '%s\n' "$_e" >>"$W/diff"
  done <"$W/tree"
  [ -s "$W/diff" ] && [ -n "$DIFF" ] && [ "$NODIFF" = 0 ] || return 0
  enc "$d"
  emit f "$C" "$E_"
  emit D "$C" "~$(head -c 65536 "$W/diff" | base64 | tr -d '\n')"
}
# zipsame PATH: what is there is what the archive has
zipsame() {
  _s=$(stat -c '%f %Y %a %u %g' "$1" 2>/dev/null) || return 1
  # shellcheck disable=SC2086
  set -- "$1" $_s
  case $_y$2 in d4* | f8*) ;; la*) return 0 ;; *) return 1 ;; esac
  if [ "$_y" = f ]; then
    case $_fl in *k*) if [ "$3" -gt "$\{_t%%.*}" ]; then return 0; fi ;; esac
    [ "$3" = "$\{_t%%.*}" ] && cmp -s "$W/zip/$_e" "$1" || return 1
  fi
  [ -n "$_md" ] || [ "$4" = "$_m" ] || return 1
  [ -n "$_ow" ] || [ "$5" = "$UIDN" ] || return 1
  [ -n "$_gr" ] || [ "$6" = "$(id -g)" ]
}
m_unarchive() {
  _a=$1 _to=$\{2%/} _ow=$5 _gr=$6 _md=$7 _fl=$8 _sr=$\{1:-$4}
  [ -n "$_to" ] || _to=/
  unset R_handler R_files R_dest
  d=$2
  if [ -n "$3" ] && [ -e "$3" ]; then skip "skipped, since $3 exists"; return; fi
  if [ ! -d "$2" ]; then
    if awaited; then chg "$2 not there yet"; else bad "dest '$2' must be an existing dir"; fi
    return
  fi
  if [ -z "$1" ]; then
    _a=$W/p/$4
    emit w "$C" "=$4"
    if [ ! -f "$_a" ]; then
      # what it was not unpacked for is there, or nobody knows before it is here
      if [ -n "$K" ] && { [ -n "$3" ] || [ -z "$4" ]; }; then chg "$\{3:-content} missing$\{FRM:+ (source $FRM)}"; return; fi
      need "$4"
    fi
  elif [ ! -f "$1" ]; then
    if awaited; then chg "$1 not there yet"; else bad "Source '$1' does not exist"; fi
    return
  fi
  if [ ! -s "$_a" ]; then bad "Invalid archive '$_sr', the file is 0 bytes"; return 1; fi
  _no=$9 _ni=$\{10}
  shift 10
  case $(head -c 4 "$_a" | od -An -tx1 | tr -d ' \n') in
  1f8b*) R_handler=TgzArchive ;;
  504b0304) R_handler=ZipArchive ;;
  *) R_handler=TarArchive ;;
  esac
  _i=0
  for _x; do
    shift
    case $R_handler in
    Zip*)
      [ "$_i" != "$_no" ] || set -- "$@" "$_a"
      [ "$_i" != "$((_no + _ni))" ] || set -- "$@" -x
      ;;
    *) [ "$_i" -lt "$((_no + _ni))" ] || _x=--exclude=$_x ;;
    esac
    set -- "$@" "$_x"
    _i=$((_i + 1))
  done
  case $R_handler in
  Zip*)
    [ "$_i" -gt "$_no" ] || set -- "$@" "$_a"
    inzip "$@"
    ;;
  *) inarchive "$@" ;;
  esac || { unset R_handler; return 1; }
  R_dest=$d
  if [ -s "$W/diff" ] && chg "$(grep -c . "$W/diff") differences"; then
    case $R_handler:$_fl in
    Zip*k*) try unzip -u -o -q "$@" -d "$_to" || return 1 ;;
    Zip*) try unzip -o -q "$@" -d "$_to" || return 1 ;;
    *k*) try tar -xf "$_a" -C "$_to" --keep-newer-files "$@" || return 1 ;;
    *) try tar -xf "$_a" -C "$_to" "$@" || return 1 ;;
    esac
  fi
  fine 'unpacked as it is'
  if [ -n "$_ow$_gr$_md" ]; then
    # members, and the folders at the top that they are in
    { cat "$W/names"; sed -n 's/\/.*//p' "$W/names" | sort -u; } >"$W/tree"
    while IFS= read -r _e; do
      [ -n "$_e" ] || continue
      fst "$_to/$_e"
      if [ "$FT" = - ] && [ -n "$K" ]; then continue; fi
      if [ "$FT" = - ]; then bad "Unexpected error when accessing exploded file: $_to/$_e"; return 1; fi
      att "$_to/$_e" "$_ow" "$_gr" "$_md" || return 1
    done <"$W/tree"
  fi
  case $_fl in *l*) R_files="[$(sed 's/[\\"]/\\&/g;s/.*/"&"/' "$W/names" | tr '\n' ',' | sed 's/,$//;s/,/, /g')]" ;; esac
}
`;
