//! All nodes below a group, not only its direct members.

use crate::error::ZarrError;
use crate::hierarchy::{Group, Member, Node};

/// A node that was found and not handed out yet.
struct Waiting {
    /// Its name is its path below the group that the walk began with.
    member: Member,
    /// 1 for the direct members of that group.
    depth: usize,
    /// Which folders of the store the groups above it are.
    folders: Vec<u128>,
}

impl Group {
    /// The members of this group, those of the groups in it, and so on: at most `max_depth` levels, all if it is
    /// `None`. Each has its path below this group as name; a group comes before what is in it, siblings by
    /// name. Blocks on the store unless the group is consolidated.
    ///
    /// A group that a symbolic link leads back to from below itself is listed, and not entered again.
    ///
    /// # Errors
    /// [`ZarrError::Unlisted`] or [`ZarrError::Storage`] where this group cannot be listed. What is wrong with another
    /// node, also if it is a group that cannot be listed, is in that member.
    pub fn descendants(&self, max_depth: Option<usize>) -> Result<Vec<Member>, ZarrError> {
        // The next node to be handed out comes last.
        let mut waiting = Vec::new();
        if max_depth != Some(0) {
            self.push_members("", 1, Vec::new(), &mut waiting)?;
        }
        let mut found = Vec::new();
        while let Some(Waiting { mut member, depth, folders }) = waiting.pop() {
            let listed = match &member.node {
                Ok(Node::Group(group)) if max_depth.is_none_or(|most| depth < most) => {
                    group.push_members(&member.name, depth + 1, folders, &mut waiting)
                }
                _ => Ok(()),
            };
            if let Err(error) = listed {
                member.node = Err(error);
            }
            found.push(member);
        }
        Ok(found)
    }

    /// Adds the members of this group, which lies at `path` and in these folders, unless it is one of them.
    fn push_members(
        &self,
        path: &str,
        depth: usize,
        mut folders: Vec<u128>,
        waiting: &mut Vec<Waiting>,
    ) -> Result<(), ZarrError> {
        if let Some(folder) = self.folder_identity() {
            if folders.contains(&folder) {
                return Ok(());
            }
            folders.push(folder);
        }
        for mut member in self.members()?.into_iter().rev() {
            if !path.is_empty() {
                member.name = format!("{path}/{}", member.name);
            }
            waiting.push(Waiting { member, depth, folders: folders.clone() });
        }
        Ok(())
    }
}
