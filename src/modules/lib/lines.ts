import { sh } from "../sh.js";

/**
 * Edits of a file's text by perl, as Python does them. What each needs stands in $W/args, NUL behind each word; perl leaves the
 * new text in $W/new and in $W/said what is to be told: a message, empty when all is as wanted, and a number.
 *
 * m_line PATH OWNER GROUP MODE FLAGS STATE LINE TEMPLATE REGEXP SEARCH AFTER BEFORE; flags: c create, b backup, f firstmatch,
 * k back-references, and r, s, l, a, i for which of REGEXP, SEARCH, LINE, AFTER, BEFORE are given.
 * m_block PATH OWNER GROUP MODE FLAGS BLOCK BEGIN END AFTER BEFORE; flags: c, b, a, i, and m for a multi-line expression.
 * m_replace PATH OWNER GROUP MODE FLAGS REGEXP TEMPLATE SECTION NUMBER ENCODING; NUMBER is the group of SECTION, 0 without one.
 */
export const blockText = sh`
# slurpold PATH FLAGS: $W/old is the text, P the real path; false when there is nothing to do
slurpold() {
  unset R_found R_backup_file R_rc R_msg R_backup
  P=$1
  if [ -L "$P" ]; then P=$(readlink -f "$P"); fi
  fst "$P"
  case $FT in
  f) cat "$P" >"$W/old" || { bad "$P cannot be read"; return 1; } ;;
  d)
    R_rc=256
    bad "Path $1 is a directory !"
    return 1
    ;;
  -)
    : >"$W/old"
    case $2 in *c*) return 0 ;; esac
    if awaited; then chg "$1 not there yet"; return 1; fi
    R_rc=257
    bad "$\{3:-Path} $1 does not exist !"
    return 1
    ;;
  *) bad "$1 is no file"; return 1 ;;
  esac
}
# edit WORD...: calls perl with what is in PL
edit() {
  if ! command -v perl >/dev/null 2>&1; then bad 'perl is not on this host, and edits need it (package perl-base)'; return 1; fi
  printf '%s\0' "$@" >"$W/args"
  if ! perl -e "$PL" "$W" >"$W/said" 2>"$W/m" 3>&- 9>&-; then bad "perl: $(tail -n 2 "$W/m")"; return 1; fi
  { IFS= read -r R_msg; IFS= read -r _n; } <"$W/said"
  R_backup=
}
# attsaid PATH OWNER GROUP MODE: attributes, or what they would be; adds to the message what Ansible says of them
attsaid() {
  _b=$NCH
  att "$@"
  if [ "$NCH" -gt "$_b" ]; then R_msg="$R_msg$\{R_msg:+ and }ownership, perms or SE linux context changed"; fi
}
# edited PATH OWNER GROUP MODE FLAGS: puts $W/new in place when there is a message
edited() {
  if [ -z "$R_msg" ]; then
    fine 'text as wanted'
    if [ "$FT" = f ]; then attsaid "$P" "$2" "$3" "$4"; fi
    return
  fi
  enc "$1"
  emit f "$C" "$E_"
  if [ "$FT" = f ]; then olddiff "$P"; fi
  if [ -n "$DIFF" ] && [ "$NODIFF" = 0 ] && [ "$(wc -c <"$W/new")" -le 131072 ]; then
    emit D "$C" "~$(base64 <"$W/new" | tr -d '\n')"
  fi
  if chg "$R_msg"; then
    if [ "$FT" = f ]; then
      case $5 in *b*) bak "$P" || return 1; R_backup=$BK R_backup_file=$BK ;; esac
    else
      _d=$\{P%/*}
      if [ ! -d "$\{_d:-/}" ]; then try mkdir -p "$_d" || return 1; fi
    fi
    if ! put "$W/new" "$P" "$2" "$3" "$4"; then
      unset R_msg R_backup R_rc
      if [ -n "$OUT" ]; then
        BAD="failed to validate: rc:$_x error:$(cat "$OUT"; echo .)"
        R_msg=$\{BAD%.}
      fi
      return 1
    fi
    if [ "$FT" = - ]; then FT=f FM=644 FUI=$UIDN FGI=$(id -g) FU=$(id -un) FG=$(id -gn); fi
  elif [ "$FT" = - ]; then return; fi
  # what put has done is only said
  _k=$K K=1
  attsaid "$P" "$2" "$3" "$4"
  K=$_k
}
PLREAD='
    sub slurp { my $f = shift; open my $h, "<", $f or die "$f: $!\n"; binmode $h; local $/; my $t = <$h>; defined $t ? $t : "" }
    sub spew { my ($t) = @_; open my $h, ">", "$w/new" or die "$!\n"; binmode $h; print $h $t; close $h or die "$!\n" }
    sub fill { my ($t, $s) = @_; my @b = @-; my @e = @+;
    $t =~ s/\\(?:(\\)|(\d+);)/defined $1 ? $1 : defined $b[$2] ? substr($s, $b[$2], $e[$2] - $b[$2]) : ""/ge; $t }
    use warnings "regexp"; $SIG{__WARN__} = sub { die @_ };
    $w = shift; @a = split /\0/, slurp("$w/args"), -1; pop @a;
'
m_line() {
  _w=$5
  [ "$6" = present ] || _w=c
  slurpold "$1" "$_w" Destination || return
  if [ "$6$FT" = absent- ]; then
    unset R_backup
    R_msg='file not present'
    fine 'no such file'
    return
  fi
  PL=$PLREAD'
    ($flags, $state, $line, $tpl, $re, $search, $after, $before) = @a;
    $_ = "(?:$_)" for $re, $after, $before;
    %f = map { $_ => 1 } split //, $flags;
    @l = slurp("$w/old") =~ /[^\n]*\n|[^\n]+/g;
    sub bare { my $x = shift; $x =~ s/[\r\n]+\z//; $x }
    if ($state eq "absent") {
    @k = grep { !($f{r} ? /$re/ : $f{s} ? index($_, $search) >= 0 : bare($_) eq $line) } @l;
    $n = @l - @k; @l = @k;
    $msg = "$n line(s) removed" if $n;
    } else {
    $at = -1; $ins = -1; $hit = 0; $new = $line;
    if ($f{r}) {
    for my $i (0 .. $#l) { if ($l[$i] =~ /$re/) { $at = $i; $hit = 1; $new = fill($tpl, $l[$i]) if $f{k}; last if $f{f} } }
    }
    if ($f{s}) { for my $i (0 .. $#l) { if (index($l[$i], $search) >= 0) { $at = $i; $hit = 1; last if $f{f} } } }
    $place = $f{A} ? $after : $f{I} ? $before : undef;
    if (!$hit) {
    for my $i (0 .. $#l) {
    if (bare($l[$i]) eq $line) { $at = $i; $exact = 1 }
    elsif (defined $place && $l[$i] =~ /$place/) { $ins = $f{a} ? $i + 1 : $i; last if $f{f} }
    }
    }
    sub add { splice @l, $_[0], 0, "$line\n"; $msg = "line added" }
    sub ended { $l[-1] =~ /[\n\r]\z/ }
    if ($at >= 0) {
    $new .= "\n" unless $new =~ /\n\z/;
    if ($l[$at] ne $new) { $l[$at] = $new; $msg = "line replaced" }
    }
    elsif ($f{k}) { }
    elsif ($f{B}) { add(0) }
    elsif ($f{E} || $ins < 0) { push @l, "\n" if @l && !ended(); add(scalar @l) }
    elsif ($f{a}) {
    if ($ins == @l) { add($ins) if bare($l[-1]) ne $line }
    elsif (bare($l[$ins]) ne $line) { add($ins) }
    }
    else { add($ins) }
    }
    spew(join "", @l);
    print defined $msg ? $msg : "", "\n", $n || 0, "\n";
'
  edit "$5" "$6" "$7" "$8" "$9" "$\{10}" "$\{11}" "$\{12}" || return 1
  if [ "$6" = absent ]; then R_found=$_n; fi
  edited "$1" "$2" "$3" "$4" "$5"
}
m_block() {
  slurpold "$1" "$5" || return
  if [ "$\{11}$FT" = absent- ]; then
    R_msg="File $1 not present"
    fine 'no such file'
    return
  fi
  PL=$PLREAD'
    ($flags, $there, $block, $begin, $end, $after, $before) = @a;
    $_ = "(?:$_)" for $after, $before;
    %f = map { $_ => 1 } split //, $flags;
    $old = slurp("$w/old"); @l = $old =~ /[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+/g;
    $_ .= "\n" for $begin, $end;
    $block .= "\n" if $block ne "" && $block !~ /\n\z/;
    @b = $block eq "" ? () : ($begin, $block, $end);
    for my $i (0 .. $#l) { $n0 = $i if $l[$i] eq $begin; $n1 = $i if $l[$i] eq $end }
    if (!defined $n0 || !defined $n1) {
    $n0 = undef;
    $re = $f{A} ? $after : $f{I} ? $before : undef;
    if (defined $re) {
    if ($f{m}) { if ($old =~ /$re/) { $n0 = (substr($old, 0, $f{a} ? $+[0] : $-[0]) =~ tr/\n//) } }
    else { for my $i (0 .. $#l) { $n0 = $i if $l[$i] =~ /$re/ } }
    $n0 = !defined $n0 ? @l : $f{a} ? $n0 + 1 : $n0;
    }
    else { $n0 = $f{i} ? 0 : @l }
    }
    elsif ($n0 < $n1) { splice @l, $n0, $n1 - $n0 + 1 }
    else { splice @l, $n1, $n0 - $n1 + 1; $n0 = $n1 }
    $l[$n0 - 1] .= "\n" if $n0 > 0 && $l[$n0 - 1] !~ /\n\z/;
    splice @l, $n0, 0, @b;
    $new = join "", @l;
    spew($new);
    print $there eq "-" ? "File created" : $new eq $old ? "" : @b ? "Block inserted" : "Block removed", "\n\n";
'
  edit "$5" "$FT" "$6" "$7" "$8" "$9" "$\{10}" || return 1
  edited "$1" "$2" "$3" "$4" "$5"
}
m_replace() {
  slurpold "$1" "$5" || return
  R_rc=0
  PL=$PLREAD'
    ($re, $tpl, $section, $group, $enc) = @a;
    $_ = "(?:$_)" for $re, $section;
    $old = slurp("$w/old");
    if ($enc eq "utf-8") { utf8::decode($old) or die "the text is not UTF-8\n" }
    elsif ($enc eq "ascii" && $old =~ /[^\0-\x7f]/) { die "the text is not ASCII\n" }
    utf8::decode($tpl);
    $from = 0; $to = length $old;
    if ($group) {
    if ($old !~ /$section/) { print "none\n0\n"; exit }
    $from = $-[$group]; $to = $+[$group];
    }
    $part = substr $old, $from, $to - $from;
    $new = $part; $n = 0;
    $new =~ s/$re/$n++; fill($tpl, $part)/ge;
    $changed = $n && $new ne $part;
    substr($old, $from, $to - $from) = $new;
    if ($enc eq "utf-8") { utf8::encode($old) } elsif ($old =~ /[^\0-\xff]/) { die "the replacement is not of $enc\n" }
    spew($old);
    print $changed ? "$n replacements made" : "", "\n$n\n";
'
  edit "$6" "$7" "$8" "$9" "$\{10}" || return 1
  if [ "$R_msg" = none ]; then
    R_msg="Pattern for before/after params did not match the given file: $\{11}"
    fine 'nothing is between after and before'
    return
  fi
  edited "$1" "$2" "$3" "$4" "$5"
}
`;
