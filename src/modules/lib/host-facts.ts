import { sh } from "../sh.js";

/** m_services, m_packages: tell what is there. */
export const factsText = sh`
m_services() {
  {
    if command -v service >/dev/null 2>&1; then service --status-all 2>/dev/null; fi
    printf '\f\n'
    systemctl list-units --no-pager --type service --all 2>/dev/null >"$W/svc"
    cat "$W/svc"
    printf '\f\n'
    systemctl list-unit-files --no-pager --type service --all 2>/dev/null >"$W/svf"
    cat "$W/svf"
    printf '\f\n'
    # one question about all that the first list does not have
    grep -o '[^ ]*\.service' "$W/svc" >"$W/svn"
    set -f
    # shellcheck disable=SC2046
    set -- $(sed -n 's/^\([^ ]*[^@ ]\.service\) .*/\1/p' "$W/svf" | grep -vxF -f "$W/svn")
    set +f
    [ $# = 0 ] || systemctl show -p ActiveState --value -- "$@" 2>/dev/null | grep . >"$W/sva"
    for _u; do
      IFS= read -r _a || _a=unknown
      printf '%s %s\n' "$_u" "$_a"
    done <"$W/sva"
  } >"$W/sv"
  tell "$W/sv"
  fine 'services told'
}
m_packages() {
  # shellcheck disable=SC2016
  dpkg-query -W -f '$\{db:Status-Status}\t$\{binary:Package}\t$\{Version}\t$\{Architecture}\t$\{Section}\n' 2>/dev/null | grep '^installed' >"$W/pk"
  tell "$W/pk"
  fine 'packages told'
}
`;

/** m_hostname NAME: now and for good; hostfacts NAME: what follows from it. */
export const hostnameText = sh`
m_hostname() {
  _now='' _st=
  read -r _now </proc/sys/kernel/hostname
  if [ -e /etc/hostname ]; then
    while IFS= read -r _l || [ -n "$_l" ]; do
      case $_l in '' | '#'*) ;; *) _st=$_l; break ;; esac
    done </etc/hostname
  fi
  if [ "$1" = "$_st" ] && [ "$1" = "$_now" ]; then fine "is $1"
  else
    _old=$_now
    [ "$1" != "$_now" ] || _old=$_st
    if [ -n "$DIFF" ] && [ "$NODIFF" = 0 ]; then
      emit f "$C" =hostname
      emit d "$C" "~$(printf 'hostname = %s\n' "$_old" | base64)"
      emit D "$C" "~$(printf 'hostname = %s\n' "$1" | base64)"
    fi
    if chg "$_old -> $1"; then
      # for good first, or NetworkManager complains
      if [ "$1" != "$_st" ]; then try hostnamectl --pretty --static set-hostname "$1" || return 1; fi
      if [ "$1" != "$_now" ]; then try hostnamectl --transient set-hostname "$1" || return 1; fi
    fi
  fi
  # Python's getfqdn: the first of the names of its address that has a dot, or else the first
  read -r _now </proc/sys/kernel/hostname
  _l=$(getent hosts "$_now")
  _l=$(getent hosts "$\{_l%% *}" || printf '%s' "- $_now")
  # shellcheck disable=SC2086
  set -- "$1" $_l
  shift 1
  _fq=$\{2-$_now}
  shift
  for _l; do case $_l in *.*) _fq=$_l; break ;; esac done
  printf '%s\n' "$_fq" >"$W/fq"
  tell "$W/fq"
}
`;
