//! Checkpoints: the file, the folder, and what comes of both when something goes wrong.

mod crash;
mod disks;
mod files;
mod folder;
mod golden;
mod others;
mod support;
