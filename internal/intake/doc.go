// Package intake takes what programs send to a tenant's sources: a source's mapping makes events of records. It makes the logs that are
// missing, appends the events, and keeps what cannot be appended in the source's log of rejects. It knows no HTTP. Start reading at
// Delivery.
package intake
