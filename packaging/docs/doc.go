// Package docs holds the pages of docs/ to what they say: a test runs the shell blocks of the format pages as they stand
// there, with tools that are not ours.
package docs
