import { sh } from "../sh.js";

/**
 * m_reboot PROGRAM DIRECTORY...: ends this program, and the host's run. The call defines BOOTID, which prints what a boot changes,
 * and REBOOT, which runs PROGRAM, found as SD. A program that comes after the boot has the call's number in RB, seconds in RBE,
 * and in RBF why the host did not come back. LOC: it runs on the controller.
 */
export const rebootText = sh`
m_reboot() {
  unset R_rebooted R_elapsed
  if [ -n "$LOC" ]; then
    R_rebooted=false R_elapsed=0
    bad 'Running reboot with local connection would reboot the control node.'
    return
  fi
  if [ -n "$K" ]; then
    R_rebooted=true R_elapsed=0
    chg 'to reboot'
    return
  fi
  #apply
  if [ "$\{RB-}" = "$C" ]; then
    R_rebooted=true R_elapsed=$RBE RB=
    if [ -n "$RBF" ]; then bad "$RBF"; else chg 'rebooted'; fi
    return
  fi
  if ! _id=$(BOOTID 2>"$W/m"); then bad "failed to get host boot time info: $(tail -n 2 "$W/m")"; return; fi
  SD='' _b=$1
  shift
  case $_b in
  /*) SD=$_b ;;
  *) for _p; do
    if [ -x "$_p/$_b" ]; then SD=$_p/$_b; break; fi
  done ;;
  esac
  if [ -z "$SD" ]; then bad "Unable to find command \"$_b\" in search paths: $*"; return; fi
  chg 'reboots'
  enc "$_id"
  emit B "$C" "$E_"
  if ! REBOOT >"$W/m" 2>&1 3>&- 9>&-; then
    R_rebooted=false
    bad "Reboot command failed. Error was: '$(cat "$W/m")'"
    return
  fi
  fin reboot
  #end
}
`;
