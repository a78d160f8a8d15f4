import { sh } from "../sh.js";

/**
 * m_line PATH STATE LINE REGEXP AFTER BEFORE CREATE OWNER GROUP MODE BACKUP FIRST; regular expressions are POSIX extended.
 * m_block PATH STATE BEGIN END BLOCK AFTER BEFORE CREATE OWNER GROUP MODE BACKUP. Both need the put library.
 */
export const blockText = sh`
# edited PATH OWNER GROUP MODE BACKUP REASON: puts $W/new in place when it differs
edited() {
  if cmp -s "$W/new" "$W/old"; then
    fine "$7"
    if [ "$FT" = f ]; then att "$1" "$2" "$3" "$4"; fi
    return
  fi
  enc "$1"
  emit f "$C" "$E_"
  if [ "$FT" = f ]; then olddiff "$1"; fi
  if [ -n "$DIFF" ] && [ "$NODIFF" = 0 ] && [ "$(wc -c <"$W/new")" -le 131072 ]; then
    emit D "$C" "~$(base64 <"$W/new" | tr -d '\n')"
  fi
  if chg "$6"; then
    if [ "$FT" = f ] && [ -n "$5" ]; then bak "$1" || return 1; fi
    put "$W/new" "$1" "$2" "$3" "$4"
  fi
}
# slurpold PATH CREATE: $W/old is the text, ended by a newline
slurpold() {
  fst "$1"
  if [ "$FT" = l ]; then fst "$(readlink -f "$1")"; fi
  case $FT in
  f)
    cat "$1" >"$W/old"
    if [ -n "$(tail -c 1 "$W/old")" ]; then echo >>"$W/old"; fi
    ;;
  -)
    : >"$W/old"
    if [ -z "$2" ] && [ -z "$K" ]; then bad "$1 does not exist"; return 1; fi
    ;;
  *) bad "$1 is no file"; return 1 ;;
  esac
}
# lastmatch ERE [first]: LN is the number of the last (first) matching line of $W/old, or empty
lastmatch() {
  if [ -n "$\{2-}" ]; then LN=$(grep -nE -e "$1" "$W/old" | head -n 1); else LN=$(grep -nE -e "$1" "$W/old" | tail -n 1); fi
  LN=$\{LN%%:*}
}
# insertat AFTER BEFORE FIRST: LN is the line after which to insert
insertat() {
  LN=
  if [ -n "$2" ] && [ "$2" != BOF ]; then
    lastmatch "$2" "$3"
    if [ -n "$LN" ]; then LN=$((LN - 1)); fi
  elif [ "$2" = BOF ]; then LN=0
  elif [ -n "$1" ] && [ "$1" != EOF ]; then lastmatch "$1" "$3"; fi
  [ -n "$LN" ] || LN=$(wc -l <"$W/old")
}
m_line() {
  slurpold "$1" "$7" || return 1
  if [ "$2" = absent ]; then
    if [ "$FT" = - ]; then fine 'no such file'; return; fi
    if [ -n "$4" ]; then grep -vE -e "$4" "$W/old" >"$W/new"; else grep -vxF -e "$3" "$W/old" >"$W/new"; fi
    edited "$1" "$8" "$9" "$\{10}" "$\{11}" 'line is there' 'line not there'
    return
  fi
  LN=
  if [ -n "$4" ]; then lastmatch "$4" "$\{12}"; fi
  _w='line differs'
  if [ -z "$LN" ]; then
    # the very line counts even where the expression does not match
    LN=$(grep -nxF -e "$3" "$W/old" | head -n 1)
    LN=$\{LN%%:*}
  fi
  if [ -n "$LN" ]; then
    { head -n $((LN - 1)) "$W/old"; printf '%s\n' "$3"; tail -n +$((LN + 1)) "$W/old"; } >"$W/new"
  else
    _w='line missing'
    insertat "$5" "$6" "$\{12}"
    { head -n "$LN" "$W/old"; printf '%s\n' "$3"; tail -n +$((LN + 1)) "$W/old"; } >"$W/new"
  fi
  edited "$1" "$8" "$9" "$\{10}" "$\{11}" "$_w" 'line is there'
}
m_block() {
  slurpold "$1" "$8" || return 1
  _b=$(grep -nxF -e "$3" "$W/old" | tail -n 1)
  _b=$\{_b%%:*}
  _e=
  if [ -n "$_b" ]; then
    _e=$(tail -n +"$_b" "$W/old" | grep -nxF -e "$4" | head -n 1)
    _e=$\{_e%%:*}
    if [ -n "$_e" ]; then _e=$((_b + _e - 1)); else _b=''; fi
  fi
  if [ "$2" = absent ] || [ -z "$5" ]; then
    if [ -z "$_b" ]; then fine 'block not there'; return; fi
    { head -n $((_b - 1)) "$W/old"; tail -n +$((_e + 1)) "$W/old"; } >"$W/new"
    edited "$1" "$9" "$\{10}" "$\{11}" "$\{12}" 'block is there' 'block not there'
    return
  fi
  _w='block differs'
  if [ -n "$_b" ]; then _b=$((_b - 1)); else
    _w='block missing'
    insertat "$6" "$7" ''
    _b=$LN _e=$LN
  fi
  { head -n "$_b" "$W/old"; printf '%s\n%s\n%s\n' "$3" "$5" "$4"; tail -n +$((_e + 1)) "$W/old"; } >"$W/new"
  edited "$1" "$9" "$\{10}" "$\{11}" "$\{12}" "$_w" 'block equal'
}
`;
