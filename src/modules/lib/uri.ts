import { sh } from "../sh.js";

/**
 * m_uri CONFIG URL METHOD STATUSES CONTENT CREATES REMOVES DEST OWNER GROUP MODE: CONFIG is curl's, SEND the file that goes with the
 * request, if any. R_status, R_content, R_elapsed; tells status, address and heads, and after a form feed what may be JSON.
 * Needs the put library.
 */
export const uriText = sh`
m_uri() {
  unset R_content R_elapsed R_stdout R_path
  if [ -n "$K" ]; then PEND='check mode does not ask'; return; fi
  #apply
  if [ -n "$6" ] && [ -e "$6" ]; then R_stdout="skipped, since '$6' exists"; fine "$6 exists"; return; fi
  if [ -n "$7" ] && [ ! -e "$7" ]; then R_stdout="skipped, since '$7' does not exist"; fine "$7 does not exist"; return; fi
  rm -f "$W/body" "$W/head"
  printf '%s' "$1" >"$W/curl"
  if [ -n "$\{SEND-}" ]; then printf 'data-binary = "@%s"\n' "$SEND" >>"$W/curl"; fi
  if [ -f "$8" ]; then printf 'header = "If-Modified-Since: %s"\n' "$(date -u -r "$8" '+%a, %d %b %Y %H:%M:%S GMT')" >>"$W/curl"; fi
  _t0=$(date +%s) R_status=-1 _ur=$2
  if command -v curl >/dev/null 2>&1; then
    _x=$(curl -K "$W/curl" -sS -o "$W/body" -D "$W/head" -w '%{http_code} %{url_effective}' 2>"$W/m" 3>&- 9>&-)
    case $_x in 000* | '') ;; *) R_status=$\{_x%% *} _ur=$\{_x#* } ;; esac
  elif command -v wget >/dev/null 2>&1 && [ "$3" = GET ] && [ -z "$\{SEND-}$8" ]; then
    sed -n 's/^header = "\([^:]*: .*\)"$/header = \1/p' "$W/curl" >"$W/wgetrc"
    WGETRC=$W/wgetrc wget -S -q -t 1 --content-on-error -O "$W/body" "$2" 2>"$W/m" 3>&- 9>&-
    sed -n 's/^  //p' "$W/m" >"$W/head"
    _x=$(sed -n 's/^HTTP\/[0-9.]* \([0-9]*\).*/\1/p' "$W/head" | tail -n 1)
    [ -z "$_x" ] || R_status=$_x
  else bad 'curl is not installed'; return 1; fi
  R_elapsed=$(($(date +%s) - _t0))
  [ -e "$W/head" ] || : >"$W/head"
  if [ ! -e "$W/body" ] || [ "$3" = HEAD ]; then : >"$W/body"; fi
  {
    printf '%s %s\n' "$R_status" "$_ur"
    tr -d '\r' <"$W/head"
    printf '\f\n'
    if grep -Eiq '^content-type: *[^;]*(json|javascript)' "$W/head"; then head -c 4194304 "$W/body"; fi
  } >"$W/told"
  tell "$W/told"
  if [ -n "$5" ]; then
    R_content=$(tr -d '\000' <"$W/body"; echo .)
    R_content=$\{R_content%.}
  fi
  case ", $4," in
  *", $R_status,"*) fine "status $R_status" ;;
  *)
    if [ "$R_status" = -1 ]; then _x="Request failed: $(grep -m 1 '^curl: ' "$W/m" || tail -n 1 "$W/m")"
    else _x="HTTP Error $R_status: $(tr -d '\r' <"$W/head" | sed -n 's/^HTTP\/[0-9.]* [0-9]* *//p' | tail -n 1)"; fi
    bad "Status code was $R_status and not [$4]: $_x"
    return 1
    ;;
  esac
  [ -n "$8" ] || return 0
  d=$8
  if [ -d "$d" ]; then
    _x=$(sed -n 's/^[Cc]ontent-[Dd]isposition:.*filename="\{0,1\}\([^";/]*\).*/\1/p' "$W/head" | tail -n 1)
    if [ -z "$_x" ]; then
      _x=$\{_ur#*://*/}
      [ "$_x" != "$_ur" ] || _x=
      _x=$\{_x%%[?#]*}
      _x=$\{_x##*/}
    fi
    d=$\{d%/}/$\{_x:-index.html}
  fi
  R_path=$d
  if [ "$R_status" != 304 ] && chg fetched; then
    fst "$d"
    if [ "$FT" = f ] && cmp -s "$W/body" "$d"; then att "$d" "$9" "$\{10}" "$\{11}"
    else put "$W/body" "$d" "$9" "$\{10}" "$\{11}"; fi
  fi
  #end
}
`;
