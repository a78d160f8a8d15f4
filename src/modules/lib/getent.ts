import { sh } from "../sh.js";

/** m_getent SERVICE FAIL DATABASE [KEY]: tells the lines that getent has. */
export const getentText = sh`
m_getent() {
  _se=$1 _fa=$2
  shift 2
  getent $\{_se:+-s "$_se"} -- "$@" >"$W/ge" 2>/dev/null
  case $? in
  0) ;;
  2)
    if [ -n "$_fa" ]; then bad 'One or more supplied key could not be found in the database.'; return 1; fi
    : >"$W/ge"
    ;;
  1) bad 'Missing arguments, or database unknown.'; return 1 ;;
  3) bad 'Enumeration not supported on this database.'; return 1 ;;
  *) bad 'Unexpected failure!'; return 1 ;;
  esac
  tell "$W/ge"
  fine told
}
`;
