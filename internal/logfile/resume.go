package logfile

import (
	"errors"
	"io"
	"slices"
)

// resume reads up to the furthest mark that lies in the file, and goes back to the beginning if none does. It may be the mark of a file
// that was renamed, copied or compressed since.
func (i *Input) resume(marks []Mark, o Options) error {
	marks = slices.DeleteFunc(slices.Clone(marks), func(m Mark) bool { return m.Records == 0 })
	if len(marks) == 0 {
		return nil
	}
	best, at := i.match(marks)
	switch {
	case best == nil:
		return i.begin(o)
	case best.Records < at.Records:
		if err := i.begin(o); err != nil {
			return err
		}
		if err := i.skipTo(best); err != nil {
			return err
		}
	}
	found := *best
	found.Format = i.mark.Format
	i.adopt(found)
	return nil
}

// match reads as far as a mark may lie. It returns the last mark that does, and the place where it stopped.
func (i *Input) match(marks []Mark) (best *Mark, at Position) {
	i.pass(true)
	defer func() { i.pass(false) }()
	if i.compressed != plain {
		i.Records.Finish()
	}
	for len(marks) > 0 {
		_, err := i.Records.Next()
		if errors.Is(err, io.EOF) && slices.ContainsFunc(marks, func(m Mark) bool { return m.Open && m.Records == at.Records+1 }) {
			i.Records.Finish()
			_, err = i.Records.Next()
		}
		if err != nil {
			return best, at // an error comes again where it matters
		}
		at = i.place()
		marks = slices.DeleteFunc(marks, func(m Mark) bool {
			switch {
			case m.Records == at.Records && m.Chain == at.Chain:
				best = &m
				return true
			case at.Records == beginRecords && m.Records > beginRecords:
				return m.Begin != at.Chain
			}
			return m.Records <= at.Records
		})
	}
	return best, at
}

// skipTo reads from the beginning up to a mark. The error is errReplaced if the mark does not lie in the file any more.
func (i *Input) skipTo(m *Mark) error {
	i.pass(true)
	defer func() { i.pass(false) }()
	if i.compressed != plain {
		i.Records.Finish()
	}
	for i.place().Records < m.Records {
		if _, err := i.Records.Next(); errors.Is(err, io.EOF) {
			return errReplaced
		} else if err != nil {
			return err
		}
	}
	if i.place().Chain != m.Chain {
		return errReplaced
	}
	return nil
}
