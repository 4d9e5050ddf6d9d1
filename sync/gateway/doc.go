// Package gateway is the platform's end of the exchange: stateless HTTP handlers over a [Store].
//
// A [Gateway] takes packets from devices, keeps them as they came together with their range, their header rows and the
// device's new head in one transaction, answers with a signed ack, and hands out signed events. What is durable is the
// packet; the cases people work with are a projection of packets and events, made after the ack and replayable
// ([Gateway.Rebuild]). One device is one row in the store: any replica may take any device's packet, the row decides.
//
// Personal data lies in the store sealed twice: packets to the platform's SM2 sealing key, projections under the
// platform's SM4 storage key. Both keys live in a folder beside the database, never in it. The running gateway can read
// everything; a stolen database cannot be read. Handlers log device numbers and counts, never persons.
//
// The bytes on the wire are in docs/wire.md; running a gateway is in docs/gateway.md.
package gateway
