import { sh } from "../sh.js";

/**
 * m_find TYPE AGE STAMP SIZE DEPTH FLAGS CONTAINS PATTERNS EXCLUDES WORD...: as many of the words are patterns and excludes, of perl,
 * the rest are paths; flags: r recurse, h hidden, f follow, c CONTAINS is given, w of the whole file, s checksums. findtell tells
 * what was found: see found() in find.ts.
 */
export const findText = sh`
FIND='
    $w = shift; open $h, "<", "$w/args" or die; binmode $h; { local $/; @r = split /\0/, <$h>, -1 } pop @r;
    ($type, $age, $stamp, $size, $depth, $flags, $con, $np, $ne) = splice @r, 0, 9;
    %f = map { $_ => 1 } split //, $flags;
    @p = map { qr/\A$_/ } splice @r, 0, $np; @e = map { qr/\A$_/ } splice @r, 0, $ne;
    $con = $f{w} ? qr/$con/ : qr/\A$con/ if $f{c};
    $at = { atime => 8, mtime => 9, ctime => 10 }->{$stamp}; $now = time; $looked = 0; @found = @skipped = ();
    sub esc { my $t = shift; $t =~ s/([%\x00-\x1f\x7f])/sprintf "%%%02X", ord $1/ge; $t }
    sub fault { die sprintf("[Errno %d] %s: %s%s%s\n", $!, $!, chr 39, $_[0], chr 39) }
    sub norm { my @o; for (split m{/}, $_[0]) { next if $_ eq "" || $_ eq "."; if ($_ eq "..") { pop @o } else { push @o, $_ } } "/" . join "/", @o }
    sub holds {
    open my $h, "<", $_[0] or return 0; binmode $h; local $/; my $t = <$h>; $t = "" unless defined $t;
    utf8::decode($t) or return 0; $t =~ s/\r\n?/\n/g;
    return $t =~ $con if $f{w};
    for ($t =~ /[^\n]*\n|[^\n]+/g) { return 1 if $_ =~ $con } 0 }
    sub named { my $n = shift; utf8::decode($n);
    for (@p) { next unless $n =~ $_; for (@e) { return 0 if $n =~ $_ } return 1 } 0 }
    sub within { my ($have, $want) = @_; $want eq "" || ($want =~ /^-/ && $want != 0 ? $have <= -$want : $have >= $want) }
    sub fits { my ($n, $p) = @_;
    my @s = lstat $p or return 0;
    my $k = -l _ ? "link" : -d _ ? "directory" : -f _ ? "file" : "other";
    return 0 if $type ne "any" && $k ne $type || !named($n) || !within($now - $s[$at], $age);
    return 0 if $k eq "file" && !within($s[7], $size);
    return 0 if $type eq "file" && $f{c} && !holds($p);
    push @found, $p; push @sums, $f{s} && $k eq "file" ? $p : undef; 1 }
    sub walk { my ($root, $base) = @_;
    opendir my $h, $root or fault($root); my (@f, @d);
    while (defined(my $n = readdir $h)) {
    next if $n eq "." || $n eq "..";
    if (-d "$root/$n") { push @d, $n } else { push @f, $n } }
    closedir $h; $looked += @f + @d;
    for my $n ((map { $_ } @f, @d)) {
    my $p = norm("$root/$n");
    if ($depth && ($p =~ tr{/}{}) - $base + 1 > $depth) { @d = (); next }
    next if $n =~ /^\./ && !$f{h};
    fits($n, $p) }
    return unless $f{r};
    for my $n (@d) { walk("$root/$n", $base) if $f{f} || !-l "$root/$n" } }
    for my $p (@r) {
    if (!-d $p) { push @skipped, [$p, chr(39) . $p . chr(39) . " is not a directory"]; next }
    (my $b = $p) =~ s{/+\z}{};
    eval { walk($b, ($b =~ tr{/}{}) + 1); 1 } or do { chomp(my $t = $@); push @skipped, [$p, $t] } }
    sub put { my $f = shift; open my $h, ">", "$w/$f" or die "$!\n"; binmode $h; print $h @_; close $h or die "$!\n" }
    put("fskip", map { esc($_->[0]) . "\t" . esc($_->[1]) . "\n" } @skipped);
    put("fpath", map { esc($_) . "\n" } @found); put("fnul", map { "$_\0" } @found);
    put("fsum", map { defined $_ ? "$_\0" : () } @sums); put("fhas", map { defined $_ ? "1\n" : "0\n" } @sums);
    printf "%d %d %d\n", scalar @found, $looked, scalar @skipped;
'
m_find() {
  unset R_matched R_examined R_msg
  if ! command -v perl >/dev/null 2>&1; then bad 'perl is not on this host, and find needs it (package perl-base)'; return 1; fi
  printf '%s\0' "$@" >"$W/args"
  if ! perl -e "$FIND" "$W" >"$W/said" 2>"$W/m" 3>&- 9>&-; then bad "perl: $(tail -n 2 "$W/m")"; return 1; fi
  read -r R_matched R_examined _n <"$W/said"
  R_msg='All paths examined'
  [ "$_n" = 0 ] || R_msg='Not all paths examined, check warnings for details'
  fine "$R_matched found"
}
findtell() {
  [ -z "$BAD" ] || return 0
  xargs -0r stat -c '%f %u %g %s %i %d %h %.9X %.9Y %.9Z %U %G' -- <"$W/fnul" >"$W/fstat" 2>/dev/null
  if [ "$(wc -l <"$W/fstat")" != "$R_matched" ]; then bad 'files vanished while they were looked at'; return 1; fi
  {
    cat "$W/fskip"
    printf '\f\n'
    cat "$W/fpath"
    printf '\f\n'
    cat "$W/fstat"
    printf '\f\n'
    if [ -s "$W/fsum" ]; then
      xargs -0r sha1sum -z -- <"$W/fsum" 2>/dev/null | tr '\n\0' ' \n' >"$W/fsha"
      while read -r _x; do
        if [ "$_x" = 1 ] && read -r _x _y <&4; then printf '%s\n' "$_x"; else echo -; fi
      done <"$W/fhas" 4<"$W/fsha"
    fi
  } >"$W/ftold"
  tell "$W/ftold"
}
`;
