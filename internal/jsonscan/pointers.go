package jsonscan

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Pointers is a compiled list of JSON Pointers. It is immutable and safe for concurrent use.
type Pointers struct {
	root  *node
	count int
}

// node is a position in a document that pointers lead to or through.
type node struct {
	name     string
	index    int // the name as an array index, -1 where it is none
	children []*node
	// targets are the indices of pointers that end here, below those of pointers that lead through here.
	targets, below []int
	// hints has the bit of every child's name, so that most other members are skipped without a comparison.
	hints    uint64
	maxIndex int // the greatest index among the children, -1 where none is an index
}

// Compile parses RFC 6901 pointers, such as /tokens_in, /usage/tokens or /items/0; ~0 stands for "~" and ~1 for "/". A pointer may
// occur twice, or lead through the value of another. The empty pointer, which would name the whole document, is refused: the
// caller has the document, and an empty line in a list of pointers is a mistake.
func Compile(pointers []string) (*Pointers, error) {
	p := &Pointers{root: newNode(""), count: len(pointers)}
	for target, pointer := range pointers {
		if err := p.add(pointer, target); err != nil {
			return nil, fmt.Errorf("JSON pointer %d, %.100q: %w", target+1, pointer, err)
		}
	}
	return p, nil
}

// Len returns the number of pointers.
func (p *Pointers) Len() int { return p.count }

func (p *Pointers) add(pointer string, target int) error {
	switch {
	case pointer == "":
		return fmt.Errorf("it is empty; it must start with \"/\" and name a member or an element")
	case pointer[0] != '/':
		return fmt.Errorf("it must start with \"/\"")
	case !utf8.ValidString(pointer):
		return fmt.Errorf("it is not valid UTF-8")
	}
	at := p.root
	for token := range strings.SplitSeq(pointer[1:], "/") {
		if err := checkToken(token); err != nil {
			return err
		}
		at.below = append(at.below, target)
		at = at.childNamed(UnescapeToken(token))
	}
	at.targets = append(at.targets, target)
	return nil
}

func checkToken(token string) error {
	for i := 0; i < len(token); i++ {
		if token[i] == '~' && (i+1 == len(token) || token[i+1] != '0' && token[i+1] != '1') {
			return fmt.Errorf("\"~\" must be followed by 0 or 1: write ~0 for \"~\" and ~1 for \"/\"")
		}
	}
	return nil
}

// UnescapeToken returns the name of a member that a token of a JSON Pointer (RFC 6901) stands for. What is no escape is left as it is.
func UnescapeToken(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

var tokenEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// EscapeToken returns the token of a JSON Pointer that stands for the name of a member.
func EscapeToken(name string) string { return tokenEscapes.Replace(name) }

func newNode(name string) *node {
	return &node{name: name, index: arrayIndex(name), maxIndex: -1}
}

// childNamed returns the child of that name, adding it if necessary.
func (n *node) childNamed(name string) *node {
	for _, child := range n.children {
		if child.name == name {
			return child
		}
	}
	child := newNode(name)
	n.children = append(n.children, child)
	n.hints |= hint([]byte(name))
	n.maxIndex = max(n.maxIndex, child.index)
	return child
}

// member returns the child for an object's member, nil if no pointer names it.
func (n *node) member(name []byte) *node {
	if n.hints&hint(name) == 0 {
		return nil
	}
	for _, child := range n.children {
		if child.name == string(name) {
			return child
		}
	}
	return nil
}

// element returns the child for an array's element, nil if no pointer names it.
func (n *node) element(index int) *node {
	if index > n.maxIndex {
		return nil
	}
	for _, child := range n.children {
		if child.index == index {
			return child
		}
	}
	return nil
}

// hint maps a name to one of 64 bits.
func hint(name []byte) uint64 {
	if len(name) == 0 {
		return 1
	}
	return 1 << ((uint(name[0]) + 7*uint(len(name)) + 3*uint(name[len(name)-1])) & 63)
}

// arrayIndex returns the array index that a token spells, -1 if none: an index is digits without leading zeros. One of more than
// 9 digits is beyond any document that this package reads, so it never matches either.
func arrayIndex(token string) int {
	if token == "" || len(token) > 9 || token[0] == '0' && len(token) > 1 {
		return -1
	}
	for i := range len(token) {
		if token[i] < '0' || token[i] > '9' {
			return -1
		}
	}
	index, err := strconv.Atoi(token)
	if err != nil {
		return -1
	}
	return index
}
