//go:build !wasip1

package tally

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// randomNumber is a number as events hold it, most of them small.
func randomNumber(random *rand.Rand) string {
	sign := strings.Repeat("-", random.IntN(5)/4)
	whole := strconv.FormatUint(random.Uint64()>>random.IntN(64), 10)
	if random.IntN(8) == 0 {
		for whole = strings.TrimLeft(whole, "0"); len(whole) < inputWholeDigits; {
			whole += strconv.FormatUint(random.Uint64(), 10)
		}
		whole = whole[:1+random.IntN(inputWholeDigits)]
	}
	switch random.IntN(4) {
	case 0:
		return sign + whole + "." + fmt.Sprintf("%0*d", 1+random.IntN(27), random.IntN(10))
	case 1:
		return sign + whole + fmt.Sprintf(".%d", random.Uint64())
	}
	return sign + whole
}

func rat(t *testing.T, text string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return r
}

// TestDecimals holds the arithmetic against math/big.
func TestDecimals(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		left, right := randomNumber(random), randomNumber(random)
		a, okA := ParseDecimal(left)
		b, okB := ParseDecimal(right)
		if !okA || !okB {
			t.Fatalf("%s, %s: not read", left, right)
		}
		x, y := rat(t, left), rat(t, right)
		sum, okSum := a.Add(b)
		difference, okDifference := a.Sub(b)
		product, okProduct := a.Mul(b)
		if !okSum || !okDifference || !okProduct {
			t.Fatalf("%s, %s: overflow", left, right)
		}
		for _, c := range []struct {
			what string
			got  Decimal
			want *big.Rat
		}{
			{"parsed", a, x},
			{"+", sum, new(big.Rat).Add(x, y)},
			{"-", difference, new(big.Rat).Sub(x, y)},
			{"*", product, new(big.Rat).Mul(x, y)},
			{"negated", a.Neg(), new(big.Rat).Neg(x)},
		} {
			text := c.got.String()
			if got := rat(t, text); got.Cmp(c.want) != 0 {
				t.Fatalf("%s %s %s: %s", left, c.what, right, text)
			}
			if again, ok := parseTotal(text); !ok || again.Cmp(c.got) != 0 || again.String() != text {
				t.Fatalf("%s is read back as %s", text, again)
			}
			if c.got.Sign() != c.want.Sign() {
				t.Fatalf("%s has the sign %d", text, c.got.Sign())
			}
			if n, ok := c.got.Int64(); ok != (c.want.IsInt() && c.want.Num().IsInt64()) || ok && n != c.want.Num().Int64() {
				t.Fatalf("%s is %d as an int64, %v", text, n, ok)
			}
		}
		if a.Cmp(b) != x.Cmp(y) {
			t.Fatalf("%s is compared with %s as %d", left, right, a.Cmp(b))
		}
	}
}

func parseTotal(text string) (d Decimal, ok bool) {
	d, end := takeNumber(text, 0, wholeDigits, fractionDigits)
	return d, end == len(text)
}

func TestDecimalLimits(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "-0.0e9": "0", "1e17": "100000000000000000", "999999999999999999": "999999999999999999",
		"1e18": "1" + strings.Repeat("0", 18), "1e44": "1" + strings.Repeat("0", 44), "1e45": "",
		strings.Repeat("9", 45): strings.Repeat("9", 45), "1" + strings.Repeat("0", 45): "",
		"-" + strings.Repeat("9", 45) + "." + strings.Repeat("9", 27): "-" + strings.Repeat("9", 45) + "." + strings.Repeat("9", 27),
		"1e-27": "0.000000000000000000000000001",
		"1e-28": "", "0.10": "0.1", "12345678.9e-3": "12345.6789", "01": "", "1.": "", ".1": "", "-": "", "": "", "+1": "", "1e": "",
		"1 ": "", "0e999999999999": "0", "1e999999999999": "", "10000000000000000000e-2": "100000000000000000",
		"0.0000000000000000000000000010000": "0.000000000000000000000000001", "12a": "", "12345678": "12345678",
		"123456789": "123456789", "0x1": "", "1e+2": "100", "1E2": "100", "00": "", "1.5e": "", "123456789012345678.": "", "\x00": "",
		"1\x00": "",
	} {
		d, ok := ParseDecimal(text)
		if ok != (want != "") || ok && d.String() != want || !ok && d != (Decimal{}) {
			t.Errorf("%q is read as %s, %v; %q is wanted", text, d, ok, want)
		}
	}
	full, ok := parseTotal(strings.Repeat("9", wholeDigits))
	if _, fits := full.Add(NewDecimal(1)); !ok || fits {
		t.Error("10^90 is no overflow")
	}
	if sum, fits := full.Add(NewDecimal(-1)); !fits || sum.String() != strings.Repeat("9", wholeDigits-1)+"8" {
		t.Errorf("10^90-2 is %s", sum)
	}
	for _, n := range []int64{0, 1, -1, 1<<63 - 1, -1 << 63, limbBase, -limbBase, limbBase - 1} {
		if got := NewDecimal(n).String(); got != strconv.FormatInt(n, 10) {
			t.Errorf("%d is %s", n, got)
		}
	}
}

// TestAppendUint tries every length.
func TestAppendUint(t *testing.T) {
	for _, n := range []uint64{
		0, 1, 9, 10, 99, 12_345_678, 99_999_999, 100_000_000, 1<<53 + 1, 9_999_999_999_999_999,
		10_000_000_000_000_000, 1<<64 - 1,
	} {
		for digits := range maxUintDigits + 1 {
			if got, want := string(AppendUint([]byte("x"), n, digits)), fmt.Sprintf("x%0*d", digits, n); got != want {
				t.Errorf("%d in %d digits is %s, not %s", n, digits, got, want)
			}
		}
	}
}

// TestAddCounts holds the quick way against the general one: what the quick one takes on, it does alike, and it takes on what is common.
func TestAddCounts(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	totals := NewTotals("tokens_in", "tokens_out", "requests")
	numbers := []func() string{
		func() string { return strconv.FormatUint(random.Uint64()>>(10+random.IntN(54)), 10) },
		func() string { return randomNumber(random) },
		func() string {
			return []string{"", "0", "00", "01", "1e3", "1.", "-1", "12345678", "123456789012345", "1234567890123456"}[random.IntN(10)]
		},
	}
	quick := 0
	for i := range 100_000 {
		number := numbers[max(0, random.IntN(9)-6)]
		value := `{"tokens_in":` + number() + `,"tokens_out":` + number() + `,"requests":` + number() + `}`
		switch {
		case i%10 == 0:
			value = value[:random.IntN(len(value))]
		case i%11 == 0:
			at := random.IntN(len(value))
			value = value[:at] + string(rune(' '+random.IntN(90))) + value[at+1:]
		}
		var amounts []Decimal
		for range 3 {
			d, ok := ParseDecimal(numbers[max(0, random.IntN(9)-7)]())
			if !ok {
				d = NewDecimal(random.Int64N(1000))
			}
			amounts = append(amounts, d)
		}
		want, err := totals.add(nil, value, true, amounts)
		room := make([]uint64, totalsRoom/word)
		length := addCounts(unsafe.Pointer(&room[0]), []byte(value), totals.around, amounts)
		if length == 0 {
			continue
		}
		quick++
		if got := unsafe.String((*byte)(unsafe.Pointer(&room[0])), length); err != nil || got != string(want) {
			t.Fatalf("%s plus %s: %s quickly, %s, %v in general", value, amounts, got, want, err)
		}
	}
	if !totals.plain || quick < 20_000 {
		t.Errorf("the quick way was taken %d times", quick)
	}
}

// TestTotals adds, in the state of this process.
func TestTotals(t *testing.T) {
	defer clear(localState)
	totals := NewTotals("a", `quo"te`)
	one, half := NewDecimal(1), must(t, "0.5")
	for range 3 {
		if err := totals.Add("key", one, half); err != nil {
			t.Fatal(err)
		}
		release()
	}
	if got := localState["key"]; got != `{"a":3,"quo\"te":1.5}` {
		t.Errorf("the totals are %s", got)
	}
	localState["key"] = `{"a":3}`
	if err := totals.Add("key", one, half); err == nil || !strings.Contains(err.Error(), `"key" is not what`) {
		t.Errorf("foreign totals: %v", err)
	}
	localState["key"] = `{"a":` + strings.Repeat("9", wholeDigits) + `,"quo\"te":1}`
	if err := totals.Add("key", one, half); err == nil || !strings.Contains(err.Error(), `"key" pass 90 digits`) {
		t.Errorf("full totals: %v", err)
	}
	localState["key"] = `{"a":` + strings.Repeat("9", wholeDigits) + `,"quo\"te":x}`
	if err := totals.Add("key", one, half); err == nil || !strings.Contains(err.Error(), `is not what`) {
		t.Errorf("full and foreign totals: %v", err)
	}
}

func must(t *testing.T, text string) Decimal {
	t.Helper()
	d, ok := ParseDecimal(text)
	if !ok {
		t.Fatalf("%s is not read", text)
	}
	return d
}

// TestTimes holds dates, times and months against package time.
func TestTimes(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	const year0, year10000 = -62_167_219_200_000_000, 253_402_300_800_000_000
	for i := range 50_000 {
		us := random.Int64N(year10000-year0) + year0
		if i%3 == 0 {
			us -= us % int64(Day)
		}
		want := time.UnixMicro(us).UTC()
		year, month, day := Time(us).Date()
		if y, m, d := want.Date(); year != y || month != int(m) || day != d {
			t.Fatalf("%s has the date %d-%d-%d", want, year, month, day)
		}
		if got := DateTime(year, month, day); got != Time(us).Floor(Day) {
			t.Fatalf("%s begins at %d", want, got)
		}
		text, ok := Time(us).AppendRFC3339(nil)
		if !ok || string(text) != want.Format("2006-01-02T15:04:05.999999Z07:00") {
			t.Fatalf("%s is written %s", want, text)
		}
		if got, ok := ParseTime(string(text)); !ok || got != Time(us) {
			t.Fatalf("%s is read as %d, not %d", text, got, us)
		}
		if month, ok := Time(us).Month(); !ok || month != want.Format("2006-01") {
			t.Fatalf("%s has the month %s", want, month)
		}
	}
	for _, us := range []int64{-1 << 63, year0 - 1, year10000, 1<<63 - 1} {
		if month, ok := Time(us).Month(); ok {
			t.Errorf("%d has the month %s", us, month)
		}
	}
	for text, want := range map[string]int64{
		"1970-01-01T01:00:00.0000019+01:00": 1, "1970-01-01t00:00:00z": 0, "1970-01-01T00:00:00-00:01": 60_000_000,
		"1970-01-01T01:00:00 01:00": 0, "1970-01-01T00:59:60.5+01:00": 500_000, "2016-12-31T23:59:60Z": 1_483_228_800_000_000,
		"2017-01-01t05:29:60.999999+05:30": 1_483_228_800_999_999, "2016-12-31T18:59:60-05:00": 1_483_228_800_000_000,
	} {
		if got, ok := ParseTime(text); !ok || int64(got) != want {
			t.Errorf("%s is read as %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{
		"", "1970-01-01", "1970-13-01T00:00:00Z", "1970-02-29T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z",
		"1970-01-01T00:00:60Z", "1970-01-01T00:00:00", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00Zx",
		"1970-01-01 00:00:00Z", "197a-01-01T00:00:00Z", "1970-01-01T00:00:00+1:00", "2016-12-31T23:59:61Z", "2016-12-31T23:58:60Z",
		"2016-12-31T22:59:60Z", "2016-12-31T23:59:60+00:01", "2017-01-01T00:00:60Z",
	} {
		if got, ok := ParseTime(text); ok {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}

// TestStrings writes and reads JSON strings, and holds them against encoding/json.
func TestStrings(t *testing.T) {
	for _, text := range []string{"", "gpt-4", "größe 漢字 😀", "\"\\/\b\f\n\r\t\x1f\x7f", "\u2028", strings.Repeat("x", 5000)} {
		written := string(AppendString(nil, text))
		var read string
		if err := json.Unmarshal([]byte(written), &read); err != nil || read != text {
			t.Errorf("%q is written %s, %v", text, written, err)
		}
		if got, ok := Unquote(written); !ok || got != text {
			t.Errorf("%s is read as %q, %v", written, got, ok)
		}
	}
	for text, want := range map[string]string{
		"a\x00b": `"a�b"`, "\x00": `"�"`, "a\xffé\xc3": `"a�é�"`, "\xed\xa0\xbd": `"���"`, "�\n": "\"�\\u000a\"",
	} {
		if got := string(AppendString(nil, text)); got != want {
			t.Errorf("%q is written %s, not %s", text, got, want)
		}
	}
	for source, want := range map[string]string{
		`"\ud83d\ude00"`: "😀", `"\ud83dx"`: "\uFFFDx", `"\ude00\ud83d"`: "\uFFFD\uFFFD", `"\u00E9\/\b\f\n\r\t\"\\"`: "é/\b\f\n\r\t\"\\",
		`"\ud83d\ud83d\ude00"`: "\uFFFD😀",
	} {
		if got, ok := Unquote(source); !ok || got != want {
			t.Errorf("%s is read as %q, %v", source, got, ok)
		}
	}
	for _, source := range []string{``, `"`, `x`, `"\"`, `"\u12"`, `"\x"`, `1`} {
		if got, ok := Unquote(source); ok {
			t.Errorf("%s is read as %q", source, got)
		}
	}
	for text, want := range map[string]string{
		"a": `"a"`, "a\x00\xff": `"a??"`, strings.Repeat("é", 31): `"` + strings.Repeat("é", 30) + `..."`,
		strings.Repeat("é", 30): `"` + strings.Repeat("é", 30) + `"`,
	} {
		if got := Shown(text); got != want {
			t.Errorf("%q is shown as %s", text, got)
		}
	}
}

func TestMembers(t *testing.T) {
	members, ok := Members(` { "a" : 1 , "b\"\u00e9":[1,{"c":"}"}], "d":{"e":"\\"}, "f":"x,y" ,"g":null} `)
	if !ok {
		t.Fatal("no object")
	}
	var got []string
	for name, value := range members {
		got = append(got, name+"="+value)
	}
	if want := `a=1|b"é=[1,{"c":"}"}]|d={"e":"\\"}|f="x,y"|g=null`; strings.Join(got, "|") != want {
		t.Errorf("the members are %s, not %s", strings.Join(got, "|"), want)
	}
	for _, object := range []string{"{}", " { } "} {
		members, ok := Members(object)
		for name := range members {
			t.Errorf("%q has the member %q", object, name)
		}
		if !ok {
			t.Errorf("%q is no object", object)
		}
	}
	if _, ok := Members(`["a"]`); ok {
		t.Error("an array is an object")
	}
}

func TestQueries(t *testing.T) {
	for query, want := range map[Query]string{
		"": "", "month=2025-03&team=a%20b": "month=2025-03|team=a b", "&&a&=b&c==d&": "a=|=b|c==d",
		"a+b=%zz%4&%6d=%F0%9f%98%80": "a b=%zz%4|m=😀", "%": "%=", "a%2": "a%2=",
	} {
		var got []string
		for name, value := range query.All() {
			got = append(got, name+"="+value)
		}
		if strings.Join(got, "|") != want {
			t.Errorf("?%s is read as %s, not %s", query, strings.Join(got, "|"), want)
		}
	}
	if value, ok := Query("a=1&b=2&a=3").Get("a"); !ok || value != "3" {
		t.Errorf("a is %q, %v", value, ok)
	}
	if value, ok := Query("a=1").Get("b"); ok {
		t.Errorf("b is %q", value)
	}
}

// TestState iterates over more keys than a page holds.
func TestState(t *testing.T) {
	defer clear(localState)
	const keys = 2*scanPage + 1
	for i := range keys {
		Set(fmt.Sprintf("a/%05d", i), []byte(strconv.Itoa(i)))
	}
	Set("b", []byte("null"))
	next := 0
	for key, value := range Scan("a/") {
		if key != fmt.Sprintf("a/%05d", next) || string(value) != strconv.Itoa(next) {
			t.Fatalf("entry %d is %s: %s", next, key, value)
		}
		next++
	}
	if next != keys {
		t.Errorf("%d of %d keys", next, keys)
	}
	for key := range ScanAfter("", "a/99999") {
		if key != "b" {
			t.Errorf("%s comes after all of a/", key)
		}
	}
	Delete("b")
	if value, ok := Get("b"); ok {
		t.Errorf("b was deleted and is %s", value)
	}
	release()
}

// TestKey tries names of every length, with NUL at every place.
func TestKey(t *testing.T) {
	defer release()
	const scopes = "0123456789"
	for _, scope := range []string{"", "2025-03", "12345678", scopes} {
		for n := range MaxKeyBytes + 2 - len(scope) {
			release()
			name := []byte(strings.Repeat("\x01\x80\xff", MaxKeyBytes)[:n])
			fits := len(scope)+1+n <= MaxKeyBytes
			if key, ok := Key(scope, string(name)); ok != fits || ok && key != scope+"/"+string(name) {
				t.Fatalf("%q and %d bytes: %q, %v", scope, n, key, ok)
			}
			for at := range min(n, 20) {
				c := name[at]
				name[at] = 0
				if key, ok := Key(scope, string(name)); ok {
					t.Fatalf("%q has a NUL", key)
				}
				name[at] = c
			}
		}
	}
	for at := range scopes {
		if key, ok := Key(scopes[:at]+"\x00", "name"); ok {
			t.Errorf("%q has a NUL", key)
		}
	}
}

// TestTextsInWords tries every length and place.
func TestTextsInWords(t *testing.T) {
	const text = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for n := range len(text) + 1 {
		if got := string(appendText(append(make([]byte, 0, 100), "<"...), text[:n])); got != "<"+text[:n] {
			t.Errorf("%s is appended as %s", text[:n], got)
		}
		if got := string(appendText([]byte("<"), text[:n])); got != "<"+text[:n] {
			t.Errorf("%s is appended as %s", text[:n], got)
		}
		for at := range len(text) - n {
			part := text[at : at+n]
			if !hasAt(text, at, strings.Clone(part)) || n > 0 &&
				(hasAt(text, at+1, part) || hasAt(text, at, part[:n-1]+"?") || hasAt(text, at, "?"+part[1:])) {
				t.Errorf("%s at %d", part, at)
			}
		}
	}
}

// TestRoom fills the room, and then some.
func TestRoom(t *testing.T) {
	defer release()
	release()
	var last []byte
	for i := range 3 * roomBytes / 1000 {
		b := append(Room(1001), byte(i))
		if cap(b) < 1001 || uintptr(unsafe.Pointer(&b[0]))%roomAlignment != 0 {
			t.Fatalf("room %d has %d bytes at %p", i, cap(b), b)
		}
		for len(b) < 1001 {
			b = append(b, byte(i))
		}
		if i > 0 && last[1000] != byte(i-1) {
			t.Fatalf("room %d lies over another", i)
		}
		last = b
	}
	if got := Room(0); len(got) != 0 {
		t.Error("room for nothing has something")
	}
}
