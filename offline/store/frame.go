package store

import "bianmin/offline/frame"

// FrameKind says what one frame of the mirror carries; see [frame.Kind].
type FrameKind = frame.Kind

// Frames of the mirror; package frame tells what each carries.
const (
	FrameSegment = frame.Segment
	FrameDict    = frame.Dict
	FrameRecord  = frame.Record
	FrameReceipt = frame.Receipt
	FrameEvent   = frame.Event
	FrameDraft   = frame.Draft
	FrameDropped = frame.Dropped
	FrameDoc     = frame.Doc
	FrameGone    = frame.Gone
)

// Frame is one entry of a mirror segment; see [frame.Frame].
type Frame = frame.Frame
