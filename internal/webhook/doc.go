// Package webhook tells a tenant's receivers of what has happened, by requests that are signed as the Standard Webhooks specification says.
//
// What is to be delivered is put down in the transaction of whoever announces it (Announce), for each receiver, with a job of the queue,
// which is River's. Each server works on the queue: it sends, records the answer, and has the job come again until the receiver has taken
// the message or the schedule ends. A server that is killed in between leaves a job that another takes up, so a message may come more than
// once, always with the same id, and none is lost.
package webhook
