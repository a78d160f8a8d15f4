import { sh } from "../sh.js";

/**
 * m_unit NAME STATE ENABLED MASKED RELOAD NOBLOCK; ENABLED and MASKED are yes, no or ''. m_reload VERB: systemd reads its
 * units anew, or begins anew itself. UN holds the units that the program is about. unitall NAME: tells all that systemd knows of
 * a unit; unitres NAME STATE ENABLED: the rest of the result.
 */
export const systemdText = sh`
m_reload() {
  #apply
  [ -n "$K" ] || try systemctl "$1"
  #end
  # a daemon-reload alone is no change, as in Ansible
  fine 'systemd reloaded'
}
# unitshow NAME: R_status_<property>. Asks about the units of UN together as long as nothing has changed, and until UQ is empty:
# a question costs more than what is asked.
unitshow() {
  _n=1 _f=$W/unit
  if [ -z "$TOUCHED" ]; then
    _i=0
    for _u in $UN; do
      _i=$((_i + 1))
      if [ "$_u" = "$1" ]; then _n=$_i _f=$W/units; fi
    done
  fi
  if [ "$_f" != "$W/units" ] || [ -z "$UQ" ]; then
    # shellcheck disable=SC2086
    if [ "$_f" = "$W/units" ]; then set -- $UN; fi
    systemctl show -p LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload -- "$@" >"$_f" 2>"$W/m" || return 1
    [ "$_f" != "$W/units" ] || UQ=1
  fi
  # an empty line stands between two units
  while IFS='=' read -r _a _b; do
    case $_n:$_a in
    1:*State | 1:NeedDaemonReload) eval "R_status_$_a=\$_b" ;;
    *:) _n=$((_n - 1)) ;;
    esac
  done <"$_f"
}
m_unit() {
  #apply
  if [ -n "$5" ] && [ -z "$K" ]; then
    try systemctl daemon-reload || return 1
    TOUCHED=1
  fi
  #end
  for _f in ActiveState LoadState SubState UnitFileState NeedDaemonReload; do eval "R_status_$_f="; done
  if ! unitshow "$1"; then
    if [ -n "$K" ]; then chg 'systemd does not answer yet'; else bad "$(tail -n 2 "$W/m")"; fi
    return 1
  fi
  AS=$R_status_ActiveState UF=$R_status_UnitFileState
  case $4 in
  yes) if [ "$UF" != masked ] && chg 'mask'; then unitmask mask "$1" || return 1; fi ;;
  no) if [ "$UF" = masked ] && chg 'unmask'; then unitmask unmask "$1" || return 1; fi ;;
  esac
  if [ "$R_status_LoadState" = not-found ]; then
    if [ -z "$2$3" ]; then fine 'there is no such unit'
    elif awaited; then chg 'unit not there yet'
    else bad "Could not find the requested service $1: host"; fi
    return
  fi
  case $UF in enabled | enabled-runtime | static | generated | transient) _e=yes ;; *) _e=no ;; esac
  if [ -n "$3" ] && [ "$3" != "$_e" ]; then
    if [ "$3" = yes ]; then
      if chg 'not enabled'; then try systemctl enable -q -- "$1" || return 1; fi
    elif chg 'enabled'; then try systemctl disable -q -- "$1" || return 1; fi
  fi
  if [ -n "$5" ] && [ "$R_status_NeedDaemonReload" = yes ] && [ -n "$K" ]; then chg 'unit file newer than loaded'; fi
  case $AS in active | activating | reloading | refreshing) _a=1 ;; *) _a= ;; esac
  case $2 in
  started) if [ -n "$_a" ]; then fine "active$\{3:+, $UF}"; else unitdo start "$AS" "$1" "$6"; fi ;;
  stopped)
    if [ -z "$_a" ] && [ "$AS" != deactivating ]; then fine "$AS$\{3:+, $UF}"; else unitdo stop "$AS" "$1" "$6"; fi
    ;;
  restarted) unitdo restart "$AS" "$1" "$6" ;;
  reloaded) if [ -n "$_a" ]; then unitdo reload "$AS" "$1" "$6"; else unitdo start "$AS" "$1" "$6"; fi ;;
  esac
  fine "$\{UF:-loaded}, $AS"
}
# unitmask VERB UNIT: Ansible minds a failure only of a unit that is not there
unitmask() {
  try systemctl "$1" -q -- "$2" || [ "$R_status_LoadState" = not-found ] || BAD=
  [ -z "$BAD" ]
}
# unitdo VERB STATE UNIT NOBLOCK
unitdo() {
  if chg "$1 ($2)"; then
    if [ "$2" = failed ]; then systemctl reset-failed -- "$3" 2>/dev/null; fi
    if ! try systemctl "$1" $\{4:+--no-block} -- "$3"; then
      { cat "$W/m"; journalctl -q -n 20 --no-pager -o cat -u "$3" 2>&1; } >"$W/u" </dev/null
      OUT=$W/u
      return 1
    fi
  fi
}
unitall() {
  systemctl show -- "$1" >"$W/unit" 2>/dev/null
  tell "$W/unit"
}
unitres() {
  unset R_name R_state R_enabled
  [ -z "$BAD" ] || return 0
  R_name=$1
  case $2 in restarted | reloaded) R_state=started ;; ?*) R_state=$2 ;; esac
  case $3 in yes) R_enabled=true ;; no) R_enabled=false ;; esac
}
`;

/** m_sysctl NAME VALUE STATE FILE RELOAD SET [-e]: as Ansible it writes each line anew, and a key once. Needs the put library. */
export const sysctlText = sh`
m_sysctl() {
  fst "$4"
  if [ "$FT" = d ]; then bad "$4 is a directory"; return 1; fi
  _have='' _n='' _seen=' '
  if [ "$FT" != - ]; then
    while IFS= read -r _l || [ -n "$_l" ]; do
      trim "$_l"
      case $F_ in '' | '#'* | ';'*) printf '%s\n' "$F_"; continue ;; *=*) ;; *) printf '%s\n' "$F_"; continue ;; esac
      _x=$F_
      trim "$\{_x%%=*}"
      _a=$F_
      trim "$\{_x#*=}"
      if [ "$_a" = "$1" ]; then _n=1 _have=$F_; fi
      case $_seen in *" $_a "*) continue ;; esac
      _seen="$_seen$_a "
      if [ "$_a" != "$1" ]; then printf '%s=%s\n' "$_a" "$F_"
      elif [ "$3" = present ]; then printf '%s=%s\n' "$1" "$2"; fi
    done <"$4" >"$W/sysctl"
  else : >"$W/sysctl"; fi
  case $_seen in *" $1 "*) ;; *) if [ "$3" = present ]; then printf '%s=%s\n' "$1" "$2" >>"$W/sysctl"; fi ;; esac
  # what runs now, one blank between its parts
  _x=$(printf %s "$1" | case $1 in *.*) tr ./ /. ;; *) cat ;; esac)
  _c='' _r=''
  if [ -r "/proc/sys/$_x" ]; then
    # shellcheck disable=SC2046
    set -- "$@" $(cat "/proc/sys/$_x" 2>/dev/null)
    _s=$1 _v=$2 _st=$3 _fi=$4 _re=$5 _se=$6 _ig=$7
    shift 7
    _c="$*"
    set -- "$_s" "$_v" "$_st" "$_fi" "$_re" "$_se" "$_ig"
  fi
  # shellcheck disable=SC2086
  _same=$(set -f; set -- $2; printf %s "$*")
  _w='' _s=
  if [ "$3" = absent ]; then
    [ -z "$_have" ] || _w="in $4"
  elif [ -z "$_n" ]; then _w="not in $4"
  elif [ "$_have" != "$2" ]; then _w="$4: $_have -> $2"; fi
  if [ -z "$_w" ] && [ -n "$5" ] && [ -n "$_n" ] && [ "$_c" != "$_same" ]; then _r="running value $_c -> $2"; fi
  if [ -n "$6" ] && [ "$3" = present ] && [ "$_c" != "$_same" ]; then _s=1 _r="running value $_c -> $2"; fi
  if [ -z "$_w$_r" ]; then
    if [ "$3" = absent ]; then fine "not in $4"; else fine "$2 in $4"; fi
    return
  fi
  if chg "$_w$\{_w:+$\{_r:+, }}$_r"; then
    if [ -n "$_s" ]; then sysctlrun "setting $1 failed" $\{7:+-e} -w "$1=$2" || return 1; fi
    if [ -n "$_w" ]; then put "$W/sysctl" "$4" '' '' '' || return 1; fi
    if [ -n "$5" ]; then sysctlrun 'Failed to reload sysctl' $\{7:+-e} -p "$4"; fi
  fi
}
# sysctlrun REASON ARGUMENT...: sysctl says of some failures only on stderr
sysctlrun() {
  _x=$1
  shift
  if ! sysctl "$@" >"$W/o" 2>"$W/e" 3>&- 9>&- ||
    grep -Eq '^sysctl: setting key "[^"]+": (Invalid argument|Read-only file system)$' "$W/e"; then
    bad "$_x: $(cat "$W/o" "$W/e")"
  fi
}
`;
