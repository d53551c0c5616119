package api

// Statuses are the statuses of all codes.
var Statuses = statuses
