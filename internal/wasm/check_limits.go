package wasm

// Limits on a module. They bound the time and memory of compiling, to about two seconds on one core: compilers are not linear
// in the size of a function, and without limits a small hostile module could keep one busy for minutes. Each was found with
// modules that do nothing but approach it (TestBombs). "Go:" is what the most demanding real module needs, a Go guest of 3.4 MB
// with encoding/json.
const (
	maxFunctions    = 20_000 // Go: 2,140
	maxTypes        = 4_096  // Go: 14
	maxImports      = 256    // Go: 16
	maxExports      = 4_096  // Go: 5; AssemblyScript may export its whole run time
	maxNameBytes    = 1_024  // of an import or export
	maxValues       = 32     // parameters of a type, and results: calls move them all. Go: 4
	maxGlobals      = 4_096  // Go: 8
	maxVariables    = 64     // mutable globals, read again after every call. Go: 8
	maxTables       = 16
	maxTableEntries = 64 << 10  // of all tables; instances keep 8 bytes for each. Go: 6,236
	maxElements     = 128 << 10 // in all element segments. Go: 2,140
	maxSegments     = 128 << 10 // of data. Go: 36,851

	maxCalls         = 100_000  // in all code; each 8 parameters and results count as another. Go: 18,410
	maxIndirectCalls = 16_384   // in all code, since their checks are long. Go: 351
	maxChecked       = 200_000  // loads, stores, divisions and conversions in all code, which are checked. Go: 119,353
	maxBranchWork    = 36 << 20 // see maxBranches
	maxMoveWork      = 3 << 20  // see maxMoves
)

// Limits on one function.
const (
	maxBodyBytes   = 256 << 10 // Go: 29 KB
	maxLocals      = 512       // parameters included. Go: 21
	maxNesting     = 1_024     // of blocks of all kinds. Go: 549
	maxIfNesting   = 100       // Go: 3; written by hand, 20 are many
	maxLoopNesting = 16        // Go: 1
	maxLoops       = 512       // Go: 3
	maxBodyCalls   = 32_768    // counted as for maxCalls. Go: 264
	maxBodyChecked = 16_384    // counted as for maxChecked
	// maxBranches bounds a function's block, loop, if, else, br, br_if, br_table (one more for each four of its labels), return
	// and unreachable, and memory.copy, memory.fill, memory.init and memory.grow, which count as three each: all are one edge or
	// more in its control flow graph. Their squares, summed over all functions, are at most maxBranchWork. Go: 1,500, and 24 million.
	maxBranches     = 4_096
	labelsPerBranch = 4
	branchesPerBulk = 3
	// maxMoves bounds a function's branches times its locals and the mutable globals, since each may be moved at each branch.
	// The sum over all functions is at most maxMoveWork. Go: 25,000, and 2 million.
	maxMoves = 512 << 10
)
