import { sh } from "../sh.js";

/**
 * m_fetch SRC SHA1 MUST LIMIT: sends a file to the controller, whose own has SHA1, or none when it is ''. MUST '' lets it be
 * missing. R_checksum. SENT tells that the controller has to look at what came before anything else is done.
 */
export const fetchText = sh`
SENT=
m_fetch() {
  RO=1
  unset R_checksum
  if [ ! -e "$1" ]; then
    if [ -z "$3" ]; then fine 'does not exist on the host'
    elif [ -n "$K" ]; then chg "$1 not there yet"
    else bad "$1 does not exist on the host"; fi
    return
  fi
  if [ ! -f "$1" ]; then
    _x="$1 is no file"
    if [ -d "$1" ]; then _x="$1 is a directory, fetch takes files"; fi
    if [ -n "$3" ]; then bad "$_x"; else fine "$_x"; fi
    return
  fi
  if ! _x=$(sha1sum <"$1" 2>/dev/null); then bad "$1 cannot be read"; return 1; fi
  _x=$\{_x%% *} R_checksum=$_x
  if [ "$_x" = "$2" ]; then fine 'sha1 equal'; return; fi
  _n=$(wc -c <"$1")
  if [ "$_n" -gt "$4" ]; then bad "$1 has $_n bytes, more than the $4 that fetch takes"; return 1; fi
  _w=missing
  if [ -n "$2" ]; then _w='content differs'; fi
  if chg "$_w"; then
    emit g "$C" $((_n)) "=$_x"
    base64 -w 65536 <"$1" 2>/dev/null | sed "s/^/$(printf '\036')$NONCE$\{T}b$T$C$T~/" >&3 || STOP=1
    SENT=1
  fi
}
`;
