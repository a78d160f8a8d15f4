import { sh } from "../sh.js";

/**
 * m_unit NAME STATE ENABLED MASKED RELOAD NOBLOCK; ENABLED and MASKED are yes, no or ''. m_reload: systemd reads its
 * units anew. UN holds the units that the program is about.
 */
export const systemdText = sh`
m_reload() {
  #apply
  [ -n "$K" ] || try systemctl daemon-reload
  #end
  # a daemon-reload alone is no change, as in Ansible
  fine 'systemd reloaded'
}
# unitshow NAME: R_status_<property>. Asks about all units of the program together as long as nothing has changed:
# each question costs as much as all of them.
unitshow() {
  _n=1 _f=$W/unit
  if [ -z "$TOUCHED" ]; then
    _i=0
    for _u in $UN; do
      _i=$((_i + 1))
      if [ "$_u" = "$1" ]; then _n=$_i _f=$W/units; fi
    done
  fi
  if [ "$_f" != "$W/units" ] || [ ! -e "$_f" ]; then
    # shellcheck disable=SC2086
    if [ "$_f" = "$W/units" ]; then set -- $UN; fi
    systemctl show -p LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload -- "$@" >"$_f" 2>"$W/m" || {
      rm -f "$_f"
      return 1
    }
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
  if [ "$R_status_LoadState" = not-found ]; then
    if [ -n "$K" ]; then chg 'unit not there yet'; else bad "there is no unit $1"; fi
    return
  fi
  case $4 in
  yes) if [ "$UF" != masked ] && chg 'mask'; then try systemctl mask -q "$1" || return 1; fi ;;
  no) if [ "$UF" = masked ] && chg 'unmask'; then try systemctl unmask -q "$1" || return 1; fi ;;
  esac
  case $UF in enabled | enabled-runtime | static | alias | indirect | generated | transient) _e=yes ;; *) _e=no ;; esac
  if [ -n "$3" ] && [ "$3" != "$_e" ]; then
    if [ "$3" = yes ]; then
      if chg 'not enabled'; then try systemctl enable -q "$1" || return 1; fi
    elif chg 'enabled'; then try systemctl disable -q "$1" || return 1; fi
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
# unitdo VERB STATE UNIT NOBLOCK
unitdo() {
  if chg "$1 ($2)"; then
    if [ "$2" = failed ]; then systemctl reset-failed "$3" 2>/dev/null; fi
    if ! try systemctl "$1" $\{4:+--no-block} "$3"; then
      { cat "$W/m"; journalctl -q -n 20 --no-pager -o cat -u "$3" 2>&1; } >"$W/u" </dev/null
      OUT=$W/u
      return 1
    fi
    R_status_ActiveState=$(systemctl show -p ActiveState --value -- "$3")
  fi
}
`;

/** m_sysctl NAME VALUE STATE FILE RELOAD SET IGNORE. Needs the put library. */
export const sysctlText = sh`
m_sysctl() {
  fst "$4"
  _have='' _n=0
  if [ "$FT" = f ]; then
    while IFS= read -r _l || [ -n "$_l" ]; do
      case $_l in '#'* | ';'*) continue ;; *=*) ;; *) continue ;; esac
      _a=$(printf %s "$\{_l%%=*}" | tr -d ' \t')
      # systemd's leading - means: no error when it fails
      if [ "$_a" = "$1" ] || [ "$_a" = "-$1" ]; then
        _n=$((_n + 1))
        _have=$(printf %s "$\{_l#*=}" | tr -s ' \t' ' ' | sed 's/^ //;s/ $//')
      fi
    done <"$4"
  fi
  _w=
  if [ "$3" = absent ]; then
    if [ "$_n" -gt 0 ]; then _w="in $4"; fi
  elif [ "$_n" = 0 ]; then _w="not in $4"
  elif [ "$_have" != "$2" ]; then _w="$4: $_have -> $2"
  elif [ "$_n" -gt 1 ]; then _w="$4: $_n times"; fi
  if [ -n "$_w" ]; then
    if chg "$_w"; then
      {
        if [ "$FT" = f ]; then
          _re=$(printf %s "$1" | sed 's/[].[*^$/]/\\&/g')
          sed "/^[ 	]*-\{0,1\}$\{_re}[ 	]*=/d" "$4"
        fi
        if [ "$3" = present ]; then printf '%s=%s\n' "$1" "$2"; fi
      } >"$W/sysctl"
      if [ "$FT" = - ]; then try mkdir -p "$\{4%/*}" || return 1; fi
      put "$W/sysctl" "$4" '' '' '' || return 1
      if [ -n "$5" ] && ! try sysctl -p "$4" && [ -n "$7" ]; then BAD=''; fi
    fi
  else
    if [ "$3" = absent ]; then fine "not in $4"; else fine "$2 in $4"; fi
  fi
  if [ -n "$6" ] && [ "$3" = present ]; then
    _c=$(sysctl -n "$1" 2>/dev/null | tr -s ' \t' ' ')
    if [ "$_c" != "$2" ] && chg "running value $_c -> $2"; then
      if ! try sysctl -w "$1=$2" && [ -n "$7" ]; then BAD=''; fi
    fi
  fi
}
`;

/** m_wait KIND TARGET STATE TIMEOUT DELAY SLEEP HOST; KIND is port or path. Ports are those this host listens on. */
export const waitText = sh`
listens() {
  _h=$(printf '%04X' "$1")
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q "^ *[0-9]*: [0-9A-F]*:$_h [0-9A-F]*:0000 0A "
}
m_wait() {
  _end=$(($(date +%s) + $4))
  if [ -n "$K" ]; then skip 'check mode does not wait'; return; fi
  [ "$5" = 0 ] || sleep "$5"
  while :; do
    _is=absent
    if [ "$1" = port ]; then
      if listens "$2"; then _is=started; fi
    elif [ -e "$2" ]; then _is=started; fi
    if [ "$_is" = "$3" ]; then fine "$1 $2 is $3"; return; fi
    if [ "$(date +%s)" -ge "$_end" ]; then bad "$1 $2 is not $3 after $4 s"; return 1; fi
    if [ -n "$STOP" ]; then fin stopped; fi
    sleep "$6"
  done
}
`;
