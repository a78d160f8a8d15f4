import { sh } from "../sh.js";

/**
 * Files' attributes and atomic writes, which most modules share.
 *
 * fst PATH    lstat: FT is f, d, l, o (other) or - (missing); FM mode, FU/FG names, FUI/FGI ids, FS bytes
 * att PATH OWNER GROUP MODE    brings an existing path to the wished attributes; '' leaves one alone
 * put FILE DEST OWNER GROUP MODE    replaces DEST by FILE's bytes: temp beside it, attributes, fsync, rename
 */
export const putText = sh`
fst() {
  FT=- FM='' FU='' FG='' FUI='' FGI='' FS=0
  seen "$1" || return 1
  # shellcheck disable=SC2086
  set -- $_s
  case $1 in
  8???) FT=f ;;
  4???) FT=d ;;
  a???) FT=l ;;
  *) FT=o ;;
  esac
  FM=$2 FUI=$3 FGI=$4 FS=$5 FU=$6 FG=$7
}
# sha256 FILE: H_
sha256() {
  if [ -z "$TOUCHED" ] && ix "$1"; then
    eval "H_=\$\{SH_$I-}"
    [ -z "$H_" ] || return 0
  fi
  H_=$(sha256sum <"$1") && H_=$\{H_%% *}
}
# wmode MODE: M_ is the octal mode that MODE, maybe symbolic, makes of FT and FM
wmode() {
  case $1 in
  *[!0-7]*)
    rm -rf "$W/mode"
    if [ "$FT" = d ]; then mkdir "$W/mode"; else : >"$W/mode"; fi
    if [ -n "$FM" ]; then chmod "$FM" "$W/mode"; fi
    try chmod "$1" "$W/mode" || return 1
    M_=$(stat -c %a "$W/mode")
    ;;
  *) M_=$1 ;;
  esac
}
att() {
  if [ -n "$2" ] && [ "$2" != "$FU" ] && [ "$2" != "$FUI" ] && chg "owner $\{FU:-root} -> $2"; then
    try chown -h "$2" "$1" || return 1
    FM=
  fi
  if [ -n "$3" ] && [ "$3" != "$FG" ] && [ "$3" != "$FGI" ] && chg "group $\{FG:-root} -> $3"; then
    try chgrp -h "$3" "$1" || return 1
    FM=
  fi
  [ -n "$4" ] && [ "$FT" != l ] || return 0
  # chown clears set-id bits
  [ -n "$FM" ] || FM=$(stat -c %a "$1")
  wmode "$4" || return 1
  if [ "$M_" != "$FM" ] && chg "mode $FM -> $M_"; then try chmod "$M_" "$1"; fi
}
# olddiff FILE: the present text, for the controller's diff
olddiff() {
  [ -n "$DIFF" ] && [ "$NODIFF" = 0 ] && [ "$FS" -le 131072 ] || return 0
  emit d "$C" "~$(base64 <"$1" | tr -d '\n')"
}
put() {
  _d=$\{2%/*}
  if [ ! -d "$\{_d:-/}" ]; then bad "Destination directory $_d does not exist"; return 1; fi
  _t=$(mktemp "$_d/.edge-setup.XXXXXX" 2>&1) || { bad "$_t"; return 1; }
  if putin "$@"; then
    sync "$\{_d:-/}" 2>/dev/null || :
    return 0
  fi
  rm -f "$_t"
  return 1
}
putin() {
  _o=$3 _g=$4
  if [ "$FT" = f ]; then _o=$\{3:-$FUI} _g=$\{4:-$FGI}; else FM=644; fi
  M_=$FM
  if [ -n "$5" ]; then wmode "$5" || return 1; fi
  try cp "$1" "$_t" || return 1
  if [ "$_o:$_g" != : ] && { [ "$UIDN" = 0 ] || [ -n "$3$4" ]; }; then
    try chown "$_o$\{_g:+:$_g}" "$_t" || return 1
  fi
  try chmod "$M_" "$_t" || return 1
  if [ -n "$\{VLD-}" ]; then
    V "$_t" >"$W/v" 2>&1 9>&-
    _x=$?
    if [ "$_x" != 0 ]; then
      OUT=$W/v
      bad 'failed to validate'
      return 1
    fi
  fi
  sync "$_t" 2>/dev/null || sync
  try mv -f "$_t" "$2"
}
# bak FILE: BK is the copy, of Ansible's name
bak() {
  BK=$1.$$.$(date +%Y-%m-%d@%H:%M:%S)~
  try cp -p "$1" "$BK"
}
`;

/** m_flags PATH FLAGS: file flags as chattr takes them, of a file that the call before has made. */
export const flagsText = sh`
m_flags() {
  # as in Ansible, where there is no chattr there are no flags
  if [ -n "$BAD" ] || [ ! -e "$1" ] || ! command -v chattr >/dev/null 2>&1; then return 0; fi
  _f=$(lsattr -d "$1" 2>/dev/null)
  _f=$(printf %s "$\{_f%% *}" | tr -d -)
  case $2 in
  -*) ;;
  *) if [ "$_f" = "$\{2#[+=]}" ]; then return; fi ;;
  esac
  case $2 in
  [-+=]*) _w=$2 ;;
  *) _w="=$2" ;;
  esac
  if chg "flags $_f -> $_w"; then try chattr "$_w" "$1"; fi
}
`;
