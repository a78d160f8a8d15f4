import { sh } from "../sh.js";

/**
 * m_mount PATH SRC FSTYPE OPTS DUMP PASSNO STATE FSTAB BACKUP: mounted, present, absent, absent_from_fstab, unmounted, remounted.
 * The words stand as fstab has them, escaped; m_ephemeral PATH SRC FSTYPE OPTS mounts without fstab. Needs the put library.
 */
export const mountText = sh`
# ismount PATH: MS is the source, MF the root of a bind mount
ismount() {
  _is=
  while read -r _a _b _c _d _e _f; do
    if [ "$_e" = "$1" ]; then
      _f=$\{_f##* - }
      _f=$\{_f#* }
      _is=1 MS=$\{_f%% *} MF=$_d
    fi
  done </proc/self/mountinfo
  [ -n "$_is" ]
}
# fstab DROP: fstab as it is to be in W/new; _ch tells whether it differs
fstab() {
  _ch='' _found=
  : >"$W/old"
  if [ "$FT" != - ]; then cat "$8" >"$W/old"; fi
  while IFS= read -r _l || [ -n "$_l" ]; do
    set -f
    # shellcheck disable=SC2086
    fields $_l
    set +f
    case $_n:$_l in 0:* | *:[[:space:]]*'#'* | *:'#'*) _n=0 ;; esac
    case $7:$_n in absent*:6 | [!a]*:[456]) ;; *) _n=0 ;; esac
    if [ "$_n" = 0 ] || [ "$_f2" != "$1" ] || { [ "$_f2 $_f3" = 'none swap' ] && [ -n "$2" ] && [ "$_f1" != "$2" ]; }; then
      printf '%s\n' "$_l"
      continue
    fi
    _found=1
    case $7 in
    absent*) _ch=1 ;;
    *)
      if [ -n "$_ch" ] || [ "$_f1 $_f2 $_f3 $_f4 $_f5 $_f6" != "$2 $1 $3 $4 $5 $6" ]; then
        _ch=1
        printf '%s\n' "$2 $1 $3 $4 $5 $6"
      else printf '%s\n' "$_l"; fi
      ;;
    esac
  done <"$W/old" >"$W/new"
  case $7 in
  absent*) ;;
  *) if [ -z "$_found" ]; then
    _ch=1
    printf '%s\n' "$2 $1 $3 $4 $5 $6" >>"$W/new"
  fi ;;
  esac
}
fields() { _n=$# _f1=$\{1-} _f2=$\{2-} _f3=$\{3-} _f4=$\{4-} _f5=$\{5-} _f6=$\{6-}; }
# putfstab FILE FSTAB BACKUP
putfstab() {
  if [ -n "$3" ]; then
    BKF=$2.$$.$(date +%Y-%m-%d@%H:%M:%S)~
    try cp -p "$2" "$BKF" || return 1
  fi
  put "$1" "$2" '' '' ''
}
plainpath() { P_=$(printf %b "$(printf %s "$1" | sed 's/\\\([0-7][0-7][0-7]\)/\\0\1/g')"); }
# fromtab FSTAB: mount's option for one of its own
fromtab() {
  _T=
  [ "$1" = /etc/fstab ] || _T="-T $1"
}
# makedirs PATH: those that are missing; DIRS are they, the innermost first
makedirs() {
  DIRS=
  if [ -e "$1" ]; then return 0; fi
  _d=$1
  while [ -n "$_d" ] && [ ! -e "$_d" ]; do
    DIRS="$DIRS$_d$NL"
    _d=$\{_d%/*}
  done
  try mkdir -p "$1"
}
undirs() { printf %s "$DIRS" | while IFS= read -r _d; do rmdir "$_d"; done; }
# remountit PATH FSTAB [OPTS]
remountit() {
  fromtab "$2"
  # shellcheck disable=SC2086
  if mount -o "remount$\{3:+,$3}" $_T "$1" >"$W/m" 2>&1; then return 0; fi
  if [ -n "$\{3-}" ]; then bad "options were given, and remounting with them failed: $(tail -n 1 "$W/m")"; return 1; fi
  # shellcheck disable=SC2086
  try umount "$1" && try mount $_T "$1"
}
m_mount() {
  BKF=
  fst "$8"
  if [ "$FT" = - ]; then
    #apply
    if [ -z "$K" ]; then
      case $8 in */*) try mkdir -p "$\{8%/*}" || return 1 ;; esac
      try touch "$8" || return 1
      fst "$8"
    fi
    #end
    :
  fi
  plainpath "$1"
  case $7 in
  present | mounted | absent | absent_from_fstab) fstab "$@" ;;
  esac
  case $7 in
  present | absent_from_fstab)
    if [ -n "$_ch" ] && chg "fstab"; then putfstab "$W/new" "$8" "$9"; fi
    ;;
  absent)
    if [ -n "$_ch" ] && chg 'in fstab'; then
      putfstab "$W/new" "$8" "$9" || return 1
      if ismount "$1"; then try umount "$P_" || return 1; fi
      if [ -e "$P_" ]; then try rmdir "$P_"; fi
    fi
    ;;
  mounted)
    _up=
    if ismount "$1"; then _up=1; fi
    if [ -n "$_ch" ] || [ -z "$_up" ]; then
      if chg "$\{_ch:+fstab}$\{_up:-$\{_ch:+, }not mounted}"; then
        makedirs "$P_" || return 1
        if [ -n "$_ch" ]; then putfstab "$W/new" "$8" "$9" || return 1; fi
        fromtab "$8"
        if [ -n "$_up" ]; then remountit "$P_" "$8"
        else
          # shellcheck disable=SC2086
          try mount $_T "$P_"
        fi
        if [ -n "$BAD" ]; then
          # a line that does not work may keep the host from booting
          [ -z "$_ch" ] || put "$W/old" "$8" '' '' ''
          undirs
          return 1
        fi
      fi
    fi
    ;;
  unmounted) if ismount "$1" && chg mounted; then try umount "$P_"; fi ;;
  remounted)
    _o=$4
    [ "$_o" != defaults ] || _o=
    if chg remounted; then remountit "$P_" "$8" "$_o"; fi
    ;;
  esac
  fine "$7"
}
m_ephemeral() {
  plainpath "$1"
  _o=$4
  [ "$_o" != defaults ] || _o=
  if ismount "$1"; then
    _x=$2
    if [ "$MS" != "$2" ] && [ "$(stat -Lc %d:%i "$2" 2>/dev/null)" != "$(stat -Lc %d:%i "$P_")" ]; then
      bad "$P_ is mounted already, from $MS and not from $2"
      return 1
    fi
    if chg remounted; then
      if ! mount -o remount -t "$3" $\{_o:+-o "$_o"} "$2" "$P_" >"$W/m" 2>&1; then
        try umount "$P_" && try mount -t "$3" $\{_o:+-o "$_o"} "$2" "$P_"
      fi
    fi
  elif chg 'not mounted'; then
    makedirs "$P_" || return 1
    try mount -t "$3" $\{_o:+-o "$_o"} "$2" "$P_" || { undirs; return 1; }
  fi
}
mountres() {
  unset R_backup_file
  [ -n "$BAD" ] || R_backup_file=$\{BKF-}
}
`;
