package source

// KeepsRecords reports whether the mapping keeps records as they are.
func (m *Mapping) KeepsRecords() bool { return m.keep != keepMembers }
