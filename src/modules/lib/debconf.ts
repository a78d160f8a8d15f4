import { sh } from "../sh.js";

/** m_debconf PACKAGE UNSEEN [QUESTION TYPE VALUE]: tells whether there is something to change, and what there was. */
export const debconfText = sh`
m_debconf() {
  unset R_msg
  if ! debconf-show "$1" >"$W/dc" 2>"$W/m" 3>&- 9>&-; then bad "$(cat "$W/m")"; return 1; fi
  R_msg='' _in='' _ex='' _va=$\{5-} _w=
  if [ $# -gt 2 ]; then
    while IFS= read -r _l; do
      trim "$\{_l%%:*}"
      trim "$\{F_#\*}"
      if [ "$F_" = "$3" ]; then
        trim "$\{_l#*:}"
        _in=1 _ex=$F_
      fi
    done <"$W/dc"
    if [ "$4$_in" = boolean1 ]; then
      _va=$(printf %s "$_va" | tr '[:upper:]' '[:lower:]')
      _ex=$(printf %s "$_ex" | tr '[:upper:]' '[:lower:]')
    fi
    if [ -z "$_in" ]; then _w='not answered'; elif [ "$_va" != "$_ex" ]; then _w="answer $_ex"; fi
  fi
  {
    if [ -n "$_w" ]; then echo changed; else echo same; fi
    cat "$W/dc"
  } >"$W/dt"
  tell "$W/dt"
  fine 'answered so'
  [ -n "$_w" ] || return 0
  case $4$_va in booleanTrue) _va=true ;; booleanFalse) _va=false ;; esac
  if chg "$3: $_w"; then
    printf '%s\n' "$1 $3 $4 $_va" | debconf-set-selections $\{2:+-u} >"$W/o" 2>"$W/m" 3>&- 9>&- || { bad "$(cat "$W/m")"; return 1; }
    R_msg=$(cat "$W/o")
  fi
}
`;
