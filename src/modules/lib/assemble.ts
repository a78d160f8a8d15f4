import { sh } from "../sh.js";

/**
 * m_assemble SRC DEST OWNER GROUP MODE FLAGS DELIMITER REGEX: the files of a directory become one; flags: b backup, h without hidden
 * ones. Uses VLD and V(). Needs put and pathinfo.
 */
export const assembleText = sh`
m_assemble() {
  pnone
  unset R_src R_dest R_checksum R_md5sum R_backup_file R_msg
  if [ ! -e "$1" ]; then
    if awaited; then chg "$1 not there yet"; else bad "Source ($1) does not exist"; fi
    return
  fi
  if [ ! -d "$1" ]; then bad "Source ($1) is not a directory"; return; fi
  if [ -d "$2" ]; then bad "attempted to take checksum of directory: $2"; return; fi
  # shellcheck disable=SC2012
  ls -A "$1" | if [ -n "$8" ]; then grep -E -e "$8"; else cat; fi >"$W/as"
  _nl='' _n=
  while IFS= read -r _f; do
    case $6:$_f in *h*:.*) continue ;; esac
    [ -f "$1/$_f" ] || continue
    [ -z "$_nl" ] || echo
    [ -z "$_n" ] || printf %s "$7"
    cat "$1/$_f"
    _n=1 _nl=1
    if [ "$(tail -c 1 "$1/$_f" | tr '\n' x)" = x ]; then _nl=; fi
  done <"$W/as" >"$W/asm"
  fst "$2"
  if [ -e "$2" ] && cmp -s "$W/asm" "$2"; then
    fine 'content equal'
    att "$2" "$3" "$4" "$5"
  else
    _w='content differs'
    if [ "$FT" = - ]; then _w=missing; fi
    chg "$_w" || return 0
    if [ -n "$\{6#h}" ] && [ "$FT" = f ]; then bak "$2" || return 1; R_backup_file=$BK; fi
    if ! put "$W/asm" "$2" "$3" "$4" "$5"; then
      case $BAD in 'failed to validate') BAD="$BAD: rc:$_x error:$(cat "$W/v")" ;; esac
      return
    fi
  fi
  R_src=$1 R_dest=$2 R_msg=OK
  R_checksum=$(sha1sum <"$W/asm")
  R_md5sum=$(md5sum <"$W/asm")
  R_checksum=$\{R_checksum%% *} R_md5sum=$\{R_md5sum%% *}
  pinfo "$2"
}
`;
