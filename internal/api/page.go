package api

import "strconv"

// PageCursor is where a page of a list begins. It is that of the page before: what it holds is the list's own business.
type PageCursor struct {
	Cursor string `query:"cursor" maxLength:"200" pattern:"^[A-Za-z0-9._:@+=~-]*$" doc:"The next_cursor of the page before; the first page when absent."`
}

// before reads the cursor of a list that goes down by number; 0 for the first page. The error is a *Problem.
func (c PageCursor) before() (int64, error) {
	if c.Cursor == "" {
		return 0, nil
	}
	before, err := strconv.ParseInt(c.Cursor, 10, 64)
	if err != nil || before < 1 {
		return 0, notThisListsCursor()
	}
	return before, nil
}

func notThisListsCursor() *Problem {
	return newProblem("invalid_cursor", "the cursor is not one of this list: give next_cursor as it came")
}

// nextCursor is that of a list that goes down by number, after this one.
func nextCursor[N int32 | int64](last N) string { return strconv.FormatInt(int64(last), 10) }
