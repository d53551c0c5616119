// Package access decides who may do what: tenants, the keys of each, tokens that keys make for a product's customers, and the record of
// what was done with them. It knows no HTTP.
package access
