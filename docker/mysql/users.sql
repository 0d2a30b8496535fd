-- The program's user may use every database whose name begins with webook; Canal's user may read and
-- replicate.
CREATE USER IF NOT EXISTS 'webook'@'%' IDENTIFIED BY 'webook';
GRANT ALL PRIVILEGES ON `webook%`.* TO 'webook'@'%';
GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'webook'@'%';
CREATE USER IF NOT EXISTS 'canal'@'%' IDENTIFIED BY 'canal';
GRANT SELECT, SHOW VIEW, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'canal'@'%';
