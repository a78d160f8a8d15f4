import { sh } from "../sh.js";

/**
 * m_git REPO DEST VERSION REMOTE DEPTH REFSPEC FLAGS SSH PROGRAM: flags f force, c clone, u update, b bare, r submodules, s a single
 * branch. It looks at what the remote has by ls-remote; LOOK: an apply may follow, which does what a check says nothing of.
 */
export const gitText = sh`
# g COMMAND...: git in the clone, or anywhere where there is none yet; $W/go and $W/gr are what it says
g() {
  (
    if [ -d "$d" ]; then cd "$d" || exit; fi
    GIT_SSH_COMMAND=$_ssh exec "$_git" "$@"
  ) >"$W/go" 2>"$W/gr" 3>&- 9>&-
}
# gt COMMAND...: one that has to succeed
gt() { g "$@" || { bad "$(cat "$W/gr")"; return 1; }; }
# gfail WORDS: why the last one did not
gfail() { bad "$1$(cat "$W/go" "$W/gr")"; return 1; }
# gon REMOTE LETTER REF: whether the remote has it
gon() { gt ls-remote "$1" "-$2" "$3" && grep -qF -e "$_ve" "$W/go"; }
gbranch() { gon "$1" h "refs/heads/$_ve"; }
gtag() { [ -z "$BAD" ] && gon "$1" t "refs/tags/$_ve"; }
glocal() { g show-ref --verify -q "refs/heads/$_ve"; }
gsha() { g rev-parse "$1" && IFS= read -r _sha <"$W/go"; }
# ghead: _hb is the branch that HEAD is on, or the remote's own where it is on none
ghead() {
  _hb=None
  IFS= read -r _l <"$_gp/HEAD"
  case $_l in
  'ref: '*)
    _hb=$\{_l#ref: refs/*/}
    return
    ;;
  esac
  if [ -e "$_gp/refs/remotes/$_rm/HEAD" ]; then
    IFS= read -r _l <"$_gp/refs/remotes/$_rm/HEAD"
    _hb=$\{_l#ref: refs/remotes/"$_rm"/}
    _hb=$\{_hb#*/}
  fi
}
# gremote REMOTE: _sha is the commit that VERSION is there
gremote() {
  _tg=
  if [ "$_ve" = HEAD ]; then
    if [ "$1" = "$_re" ]; then gt ls-remote "$1" -h HEAD || return 1
    else
      ghead
      gt ls-remote "$1" -h "refs/heads/$_hb" || return 1
    fi
  elif gbranch "$1"; then gt ls-remote "$1" -h "refs/heads/$_ve" || return 1
  elif gtag "$1"; then
    _tg=1
    gt ls-remote "$1" -t "refs/tags/$_ve*" || return 1
  elif [ -n "$BAD" ]; then return 1
  else
    _sha=$_ve
    return
  fi
  _sha=
  while read -r _a _b; do
    case $_tg:$_b in
    :*) _sha=$_a; break ;;
    *"$_ve^{}") _sha=$_a; break ;;
    *"$_ve") _sha=$_a ;;
    esac
    [ -n "$_sha" ] || _sha=$_a
  done <"$W/go"
  [ -n "$_sha" ] || bad "Could not determine remote revision for $_ve"
}
gclone() {
  #apply
  _x=$\{d%/*}
  mkdir -p "$\{_x:-/}" 2>/dev/null
  set -- clone
  case $_fl in *b*) set -- "$@" --bare ;; *) set -- "$@" --origin "$_rm" ;; esac
  _bt=
  case $_dp$_fl in
  [1-9]* | *s*) if gbranch "$_re" || gtag "$_re"; then _bt=1; elif [ -n "$BAD" ]; then return 1; fi ;;
  esac
  if [ -n "$_dp" ]; then
    if [ "$_ve" = HEAD ] || [ -n "$_rs" ]; then set -- "$@" --depth "$_dp"
    elif [ -n "$_bt" ]; then set -- "$@" --depth "$_dp" --branch "$_ve"; fi
  fi
  case $_fl in *s*)
    set -- "$@" --single-branch
    [ -z "$_bt" ] || set -- "$@" --branch "$_ve"
    ;;
  esac
  gt "$@" "$_re" "$d" || return 1
  gplace || return 1
  case $_fl in *b*) if [ "$_rm" != origin ]; then gt remote add "$_rm" "$_re" || return 1; fi ;; esac
  if [ -n "$_rs" ]; then gt fetch $\{_dp:+--depth "$_dp"} "$_rm" "$_rs"; fi
  #end
  :
}
gfetch() {
  #apply
  set --
  if [ -n "$_dp" ]; then
    ghead
    if [ -n "$_rs" ]; then set -- "$_rs"
    elif [ "$_ve" = HEAD ]; then set -- "$_hb"
    elif gbranch "$_re"; then
      [ "$_hb" = "$_ve" ] || set -- "+refs/heads/$_ve:refs/heads/$_ve"
      set -- "$@" "+refs/heads/$_ve:refs/remotes/$_rm/$_ve"
    elif gtag "$_re"; then set -- "+refs/tags/$_ve:refs/tags/$_ve"
    elif [ -n "$BAD" ]; then return 1; fi
  fi
  _fo=
  case $_fl in *f*) _fo=--force ;; esac
  if [ $# -gt 0 ]; then set -- --depth "$_dp" $_fo "$_rm" "$@"
  else
    case $_fl in
    *b*) set -- $_fo "$_rm" '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*' ;;
    *) set -- --tags $_fo "$_rm" ;;
    esac
    [ -z "$_rs" ] || set -- "$@" "$_rs"
  fi
  g fetch "$@" || gfail 'Failed to download remote objects and refs: '
  #end
  :
}
# gswitch: the working tree becomes VERSION
gswitch() {
  #apply
  if [ "$_ve" = HEAD ]; then
    ghead
    if ! g checkout --force "$_hb" || ! g reset --hard "$_rm/$_hb" --; then gfail "Failed to checkout branch $_hb: "; fi
    return
  fi
  if gbranch "$_rm"; then
    if [ -n "$_dp" ] && ! glocal; then
      g fetch "--depth=$_dp" "$_rm" "+refs/heads/$_ve:refs/heads/$_ve" "+refs/heads/$_ve:refs/remotes/$_rm/$_ve" ||
        { gfail "Failed to fetch branch from remote: $_ve"; return; }
    fi
    if glocal; then g checkout --force "$_ve" && g reset --hard "$_rm/$_ve"
    else g checkout --track -b "$_ve" "$_rm/$_ve"; fi
  elif [ -n "$BAD" ]; then return 1
  else g checkout --force "$_ve"; fi || gfail "Failed to checkout $_ve: "
  #end
  :
}
# gmodules: brings submodules up to date; _sm tells whether one was not
gmodules() {
  _sm=
  case $_fl in *r*) ;; *) return 0 ;; esac
  [ -e "$d/.gitmodules" ] || return 0
  #apply
  while IFS= read -r _l || [ -n "$_l" ]; do
    trim "$_l"
    case $F_ in path*=*)
      trim "$\{F_#*=}"
      [ -e "$d/$F_/.git" ] || _sm=1
      ;;
    esac
  done <"$d/.gitmodules"
  if [ -z "$_sm" ]; then
    g submodule foreach "$_git fetch" || { gfail 'Failed to fetch submodules: '; return; }
    gt submodule status || return 1
    if grep -q '^[^ ]' "$W/go"; then _sm=1; fi
  fi
  [ -n "$_sm" ] || return 0
  R_submodules_changed=true
  chg submodules
  gt submodule sync || return 1
  _fo=
  case $_fl in *f*) _fo=--force ;; esac
  g submodule update --init --recursive $_fo || gfail 'Failed to init/update submodules: '
  #end
}
# gplace: _gp is where git keeps the clone
gplace() {
  _gp=$d/.git
  case $_fl in *b*) _gp=$d ;; esac
  [ -f "$_gp" ] || return 0
  IFS= read -r _l <"$_gp"
  _l=$\{_l#gitdir: }
  case $_l in /*) _gp=$_l ;; *) _gp=$d/$_l ;; esac
  [ -d "$_gp" ] || bad 'Current repo does not have a valid reference to a separate Git dir or it refers to the invalid path'
}
# gsaid: from what to what, for the controller's diff
gsaid() {
  [ -n "$DIFF" ] && [ "$NODIFF" = 0 ] && [ "\"$R_after\"" != "$R_before" ] || return 0
  enc "$d"
  emit f "$C" "$E_"
  if [ "$R_before" != null ]; then emit d "$C" "~$(printf '%s\n' "$R_before" | tr -d '"' | base64)"; fi
  emit D "$C" "~$(printf '%s\n' "$R_after" | base64)"
}
m_git() {
  _re=$1 d=$\{2%/} _ve=$3 _rm=$4 _dp=$5 _rs=$6 _fl=$7 _ssh="$\{GIT_SSH:-$\{GIT_SSH_COMMAND:-ssh}} $8" _git=$9
  unset R_before R_after R_remote_url_changed R_submodules_changed
  if ! command -v "$_git" >/dev/null 2>&1; then
    if awaited; then chg 'git not there yet'; else bad "Failed to find required executable \"$_git\""; fi
    return
  fi
  gitwork
  if [ -n "$BAD" ]; then
    # what is not reached in a check may be once this is applied
    if awaited && [ -z "$R_before" ]; then BAD='' OUT=''; chg 'not reached yet'; fi
    return
  fi
}
gitwork() {
  gplace || return 1
  if [ ! -e "$_gp/config" ]; then
    if [ -n "$K" ] || [ "$\{_fl#*c}" = "$_fl" ]; then
      gremote "$_re" || return 1
      R_before=null R_after=$_sha
      gsaid
      # as in Ansible, to say what would come counts as a change
      _k=$K K=1
      chg 'not cloned'
      K=$_k
      return
    fi
    chg 'not cloned' && gclone || return 1
    case $_fl in *b*) ;; *) gswitch && gmodules || return 1 ;; esac
    gsha HEAD
    R_before=null R_after=$_sha
    gsaid
    return
  fi
  gsha HEAD
  _was=$_sha
  case $_fl in
  *u*) ;;
  *)
    R_before="\"$_was\"" R_after=$_was
    fine "at $_was"
    return
    ;;
  esac
  _mod=
  case $_fl in *b*) ;; *)
    g status --porcelain
    if grep -qv '^??' "$W/go"; then _mod=1; fi
    ;;
  esac
  if [ -n "$_mod" ]; then
    case $_fl in *f*) ;; *)
      R_before="\"$_was\""
      bad "Local modifications exist in the destination: $d (force=no)."
      return 1
      ;;
    esac
    if [ -z "$K" ] && chg 'local modifications'; then gt reset --hard HEAD || return 1; fi
  fi
  g ls-remote --get-url "$_rm"
  IFS= read -r _url <"$W/go"
  R_remote_url_changed=false
  if [ "$_url" != "$_re" ] && [ "$(realpath -m -- "$_url")" != "$(realpath -m -- "$_re")" ]; then
    R_remote_url_changed=true
    if chg "remote $_url -> $_re"; then gt remote set-url "$_rm" "$_re" || return 1; fi
  fi
  if [ -n "$K" ]; then
    gremote "$_rm" || return 1
    R_before="\"$_was\"" R_after=$_sha
    if [ "$_sha" != "$_was" ]; then
      chg "$_was -> $_sha"
      gsaid
    elif [ -n "$\{LOOK-}" ]; then
      # what an apply does without a word
      ghead
      if [ -n "$_mod" ] || [ -e "$d/.gitmodules" ] || { [ "$_ve" != HEAD ] && [ "$_hb" != "$_ve" ]; }; then PEND='may need another branch'; fi
    fi
    fine "at $_was"
    return
  fi
  #apply
  gfetch || return 1
  case $_fl in *b*) ;; *)
    _to=$_ve
    if [ "$_ve" = HEAD ]; then
      ghead
      _to=$_rm/$_hb
    elif g show-ref --verify -q "refs/remotes/$_rm/$_ve"; then _to=$_rm/$_ve; fi
    if gsha "$_to^{commit}" && [ "$_sha" != "$_was" ]; then chg "$_was -> $_sha"; fi
    gswitch && gmodules || return 1
    ;;
  esac
  gsha HEAD
  R_before="\"$_was\"" R_after=$_sha
  if [ "$_sha" != "$_was" ]; then
    [ "$NCH" != 0 ] || chg "$_was -> $_sha"
    gsaid
  fi
  fine "at $_sha"
  #end
}
`;
