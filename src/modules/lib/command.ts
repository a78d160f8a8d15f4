import { sh } from "../sh.js";

/** m_cmd CREATES REMOVES: runs the function X, which the call defines, in a subshell. R_rc, R_stdout, R_stderr. */
export const commandText = sh`
# cond CREATES REMOVES: false when the command has nothing to do; KNOWN tells check mode that it would run
cond() {
  KNOWN=
  R_stdout='' R_stderr='' R_rc=0
  if [ -n "$1" ]; then
    if [ -e "$1" ]; then fine "$1 exists"; return 1; fi
    KNOWN="$1 missing"
  fi
  if [ -n "$2" ]; then
    if [ ! -e "$2" ]; then fine "$2 does not exist"; return 1; fi
    KNOWN="$2 exists"
  fi
  if [ -n "$K" ]; then
    if [ -n "$KNOWN" ]; then chg "$KNOWN"; else PEND='check mode does not run commands'; fi
    return 1
  fi
  return 0
}
# PAY: payload that the command needs
PAY=
m_cmd() {
  cond "$1" "$2" || return 0
  #apply
  if [ -n "$PAY" ] && [ ! -f "$W/p/$PAY" ]; then need "$PAY"; fi
  chg "$\{KNOWN:-ran}"
  if [ -n "$OLC" ]; then LC_ALL=$OLC; else unset LC_ALL; fi
  (X) >"$W/o" 2>"$W/e" 9>&- 3>&-
  R_rc=$?
  LC_ALL=C
  export LC_ALL
  R_stdout=$(tr -d '\000' <"$W/o")
  R_stderr=$(tr -d '\000' <"$W/e")
  if [ "$R_rc" != 0 ]; then
    cat "$W/o" "$W/e" >"$W/oe"
    OUT=$W/oe
    bad "exit status $R_rc"
  fi
  #end
}
`;
