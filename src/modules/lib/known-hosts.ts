import { sh } from "../sh.js";

/** m_knownhost NAME LINE STATE HASH PATH: a line of known_hosts, or all of a name; HASH hides the name. Needs put and pathinfo. */
export const knownHostsText = sh`
# khkey LINE: _ty is its type, _id its marker, type and key, _ho its name
khkey() {
  set -f
  # shellcheck disable=SC2086
  set -- $1
  set +f
  _id=
  case $1 in @*) _id=$1; shift ;; esac
  _ho=$1 _ty=$2 _id="$_id $2 $3"
}
m_knownhost() {
  pnone
  unset R_name R_key R_hash_host R_path
  if ! command -v ssh-keygen >/dev/null; then
    if awaited; then chg 'ssh-keygen not there yet'; else bad 'Failed to find required executable "ssh-keygen"'; fi
    return
  fi
  if [ -n "$2" ]; then
    printf '%s\n' "$2" >"$W/kh"
    if [ -n "$4" ]; then ssh-keygen -H -f "$W/kh" >/dev/null 2>&1; fi
    if [ -z "$(ssh-keygen -F "$1" -f "$W/kh" 2>/dev/null)" ]; then
      bad 'Host parameter does not match hashed host field in supplied key'
      return
    fi
  fi
  _found='' _other='' _line=
  if [ -e "$5" ]; then
    ssh-keygen -F "$1" -f "$5" >"$W/kf" 2>"$W/ke"
    _x=$?
    if [ -s "$W/kf" ] || [ -s "$W/ke" ] || [ "$_x" -gt 1 ]; then
      if [ "$_x" != 0 ]; then bad "ssh-keygen failed (rc=$_x, stderr='$(cat "$W/ke")')"; return; fi
      _found=1
    fi
  fi
  if [ -n "$_found" ] && [ -n "$2" ]; then
    IFS= read -r _l <"$W/kh"
    khkey "$_l"
    _nid=$_id _nty=$_ty _nho=$_ho _at='' _other=1
    while IFS= read -r _l; do
      case $_l in
      '') continue ;;
      '#'*) _at=$\{_l##*found: line } _at=$\{_at%% *}; continue ;;
      esac
      khkey "$_l"
      # a name that is hidden already stays so
      case $_nho:$_ho in '|1|'*:'|1|'*) _ho=$_nho ;; esac
      if [ "$_id:$_ho" = "$_nid:$_nho" ]; then _other='' _line=$_at; break; fi
      if [ "$_ty" = "$_nty" ]; then _line=$_at; break; fi
    done <"$W/kf"
  fi
  fst "$5"
  if [ "$3" = present ]; then
    if [ -n "$_found" ] && [ -z "$_other" ]; then fine "$3"; fi
  elif [ -z "$_found" ]; then fine "$3"
  elif [ -n "$2" ] && [ -z "$_line" ]; then fine 'no such key'; fi
  if [ -z "$OKW" ]; then khwrite "$@" || return 0; fi
  [ -z "$K" ] || [ -n "$OKW" ] || return 0
  R_name=known R_key=known R_hash_host=known R_path=$5
  pinfo "$5"
  R_state=$\{R_state:-absent}
}
khwrite() {
  if [ "$3$2" = absent ]; then
    chg 'its keys' || return 0
    try ssh-keygen -R "$1" -f "$5"
    return
  fi
  : >"$W/kn"
  if [ -e "$5" ]; then
    if [ -n "$_line" ]; then sed "$\{_line}d" "$5"; else cat "$5"; fi >"$W/kn"
  fi
  if [ "$3" = present ]; then cat "$W/kh" >>"$W/kn"; fi
  if [ -n "$DIFF" ] && [ "$NODIFF" = 0 ]; then
    emit f "$C" "=$5"
    if [ "$FT" = f ]; then olddiff "$5"; fi
    emit D "$C" "~$(base64 <"$W/kn" | tr -d '\n')"
  fi
  _w=missing
  if [ "$3" = absent ]; then _w=there; elif [ -n "$_line" ]; then _w='key differs'; fi
  if chg "$_w"; then put "$W/kn" "$5" '' '' ''; fi
}
`;
