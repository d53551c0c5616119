// Package intake takes what programs send to a tenant's sources: a source's mapping makes events of it. It knows no HTTP.
package intake
